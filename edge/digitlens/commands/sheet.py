"""digitlens sheet: forms, printed, read and checked."""

import argparse
import sys
from pathlib import Path

from digitlens.commands import sheet_from
from digitlens.commands.terminal import complain, positive
from digitlens.core.errors import TemplateError


def add_options(sheet: argparse.ArgumentParser) -> None:
    """The subcommands of digitlens sheet, each with its options."""
    commands = sheet.add_subparsers(required=True, metavar="COMMAND")
    _add_print(commands.add_parser("print", help="print a template's form as a PDF"))
    _add_read(commands.add_parser("read", help="read filled-in forms: a row a sheet"))
    _add_check(commands.add_parser("check", help="name the error in a template, and its line"))
    sheet_from.add_options(
        commands.add_parser("from", help="make the template of a form that exists already")
    )


def _add_print(command: argparse.ArgumentParser) -> None:
    command.set_defaults(run=_print)
    command.add_argument("template", type=Path, metavar="TEMPLATE.toml")
    command.add_argument("--out", type=Path, required=True, metavar="SHEET.pdf", help="the PDF to write")
    command.add_argument(
        "--fields",
        type=Path,
        metavar="FIELDS.json",
        help="write where each field stands there, in millimeters",
    )
    command.add_argument(
        "--copies", type=positive, metavar="N", help="print N copies, each with a serial number in its code"
    )
    command.add_argument(
        "--first", type=positive, metavar="N", default=1, help="the first copy's serial number (default: 1)"
    )
    command.add_argument(
        "--png", action="store_true", help="write a picture of each page beside the PDF, too"
    )


def _add_check(command: argparse.ArgumentParser) -> None:
    command.set_defaults(run=_check)
    command.add_argument("templates", type=Path, nargs="+", metavar="TEMPLATE.toml")


def _add_read(command: argparse.ArgumentParser) -> None:
    from digitlens.commands import sheet_read

    sheet_read.add_options(command)


def _print(options: argparse.Namespace) -> int:
    from digitlens.sheets import printing
    from digitlens.sheets.layout import lay_out
    from digitlens.sheets.template import load

    template = load(options.template)
    serials = printing.serials(options.copies, options.first)
    printing.write_pdf(template, options.out, serials)
    if options.fields is not None:
        printing.write_fields(lay_out(template), options.fields)
    if options.png:
        printing.write_pictures(options.out)
    return 0


def _check(options: argparse.Namespace) -> int:
    from digitlens.sheets.layout import lay_out
    from digitlens.sheets.template import load

    failed = False
    for path in options.templates:
        try:
            template = load(path)
        except TemplateError as error:
            complain(error)
            failed = True
            continue
        pages = lay_out(template).pages
        sys.stdout.write(
            f"{path}: {template.name} {template.version}: {len(template.fields)} fields, "
            f"{len(template.rules)} rules, {pages} page{'s'[: pages != 1]}\n"
        )
    return 1 if failed else 0
