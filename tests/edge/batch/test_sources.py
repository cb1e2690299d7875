"""Arguments -> items: folders, globs, archives, manifests; what cannot be had is a Failure in one line."""

import io
import os
import pickle
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from digitlens.batch import archives, seen
from digitlens.batch.sources import Failure, Item, items
from digitlens.core.errors import PictureError

Found = list[Item | Failure]


def found(*arguments: object, **options: object) -> Found:
    return list(items([str(argument) for argument in arguments], **options))  # type: ignore[arg-type]


def ids(some: Found, folder: Path) -> list[str]:
    return [one.id.replace(f"{folder}/", "") for one in some]


def reasons(some: Found) -> list[str]:
    return [one.reason for one in some if isinstance(one, Failure)]


def contents(some: Found) -> list[bytes]:
    """Each item's content, as another process gets it."""
    return [pickle.loads(pickle.dumps(one)).read() for one in some if isinstance(one, Item)]  # noqa: S301  # our own


def zipped(path: Path, members: Iterable[tuple[str, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def tarred(path: Path, members: Iterable[tuple[str, bytes]]) -> Path:
    mode = {".tar": "w", ".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2"}[path.suffix]
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_a_folder_with_its_folders_in_order(tmp_path: Path) -> None:
    for name in ("b.png", "a/z.PDF", "a/y.heic", "c/d/e.tif", "notes.txt", "._b.png", "film.avi"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    some = found(tmp_path)
    assert ids(some, tmp_path) == ["a/y.heic", "a/z.PDF", "b.png", "c/d/e.tif"]
    assert contents(some) == [b"a/y.heic", b"a/z.PDF", b"b.png", b"c/d/e.tif"]
    assert ids(found(tmp_path, videos=True), tmp_path)[-1] == "film.avi"
    assert ids(found(f"{tmp_path}/**/*.[tp]?[fg]"), tmp_path) == ["b.png", "c/d/e.tif"]
    assert reasons(found(f"{tmp_path}/*.gif", tmp_path / "none")) == ["nothing fits this pattern"]
    with pytest.raises(PictureError, match=r"none: no such file or folder"):
        contents(found(tmp_path / "none"))


def test_symlinks_lead_nowhere_outside(tmp_path: Path) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    (folder / "inner").mkdir(parents=True)
    outside.mkdir()
    for path in (folder / "inner" / "a.png", outside / "secret.png"):
        path.write_bytes(b"x")
    (folder / "b.png").symlink_to(folder / "inner" / "a.png")
    (folder / "c.png").symlink_to(outside / "secret.png")
    (folder / "d").symlink_to(outside)
    (folder / "e").symlink_to(folder)
    (folder / "f.png").symlink_to(folder / "nothing")
    os.mkfifo(folder / "g.png")
    some = found(folder)
    assert ids(some, folder) == ["b.png", "c.png", "d", "f.png", "g.png", "inner/a.png"]
    out = "a symlink out of the folder: not followed"
    assert reasons(some) == [out, out, "no such file or folder", "not a file, but a pipe or a device"]


def test_a_name_of_any_bytes_is_found_and_read(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.png"))
    path.write_bytes(b"x")
    (one,) = found(tmp_path)
    assert one.id.encode().endswith("/a\ufffd.png".encode())
    assert contents([one]) == [b"x"]


def test_ids_are_unique(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "RECENT", 64)
    path = tmp_path / "a.png"
    path.write_bytes(b"x")
    assert ids(found(path, tmp_path, path), tmp_path) == ["a.png", "a.png#2", "a.png#3"]
    given = seen.Seen()
    names = [str(number) for number in range(1000)]
    assert [given.unique(name) for name in names] == names
    assert [given.unique(name) for name in names] == [f"{name}#2" for name in names]


MEMBERS = [("a/b.png", b"one" * 1000), ("c.pdf", b"two"), ("notes.txt", b"")]


@pytest.mark.parametrize("end", [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2"])
def test_the_members_of_an_archive(tmp_path: Path, end: str) -> None:
    path = (zipped if end == ".zip" else tarred)(tmp_path / f"scans{end}", MEMBERS)
    for arguments in ((path,), (tmp_path,)):
        some = found(*arguments)
        assert ids(some, tmp_path) == [f"scans{end}/a/b.png", f"scans{end}/c.pdf"]
        assert contents(some) == [b"one" * 1000, b"two"]
    assert contents([Item(one.id, one.source) for one in some]) == [b"one" * 1000, b"two"]  # by name alone
    assert contents(found(path / "c.pdf")) == [b"two"]
    with pytest.raises(PictureError, match=r"d\.pdf: no such member of the archive"):
        contents(found(path / "d.pdf"))


def test_a_worker_in_another_folder_finds_relative_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Ray's are, which its nodes start wherever they are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(b"a")
    zipped(tmp_path / "b.zip", [("c.png", b"c")])
    some = [one.absolute() for one in found("a.png", "b.zip", "b.zip/c.png") if isinstance(one, Item)]
    assert [one.id for one in some] == [one.id for one in found("a.png", "b.zip", "b.zip/c.png")]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert contents(list(some)) == [b"a", b"c", b"c"]
    far = Item("d", "s3://bucket/d.png")
    assert far.absolute() is far


@pytest.mark.parametrize("end", [".zip", ".tar", ".tgz"])
def test_what_an_archive_must_not_hold(tmp_path: Path, end: str) -> None:
    bad = [
        ("../a.png", b""),
        ("/b.png", b""),
        ("c/../../d.png", b""),
        ("e.zip", b""),
        ("f.7z", b""),
        ("g.png", b"x"),
    ]
    path = (zipped if end == ".zip" else tarred)(tmp_path / f"bad{end}", bad)
    some = found(path)
    outside, nested = archives.OUTSIDE, archives.NESTED
    assert reasons(some) == [outside, outside, outside, nested, nested]
    assert contents(some) == [b"x"]


def test_links_in_archives_are_not_followed(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        for name, kind in (
            ("a.png", tarfile.SYMTYPE),
            ("b.png", tarfile.LNKTYPE),
            ("c.png", tarfile.CHRTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    link = zipfile.ZipInfo("d.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "links.zip", "w") as packed:
        packed.writestr(link, "/etc/passwd")
    assert reasons(found(tmp_path)) == [archives.LINK] * 4


def test_a_zip_bomb_is_refused_from_its_list(tmp_path: Path) -> None:
    path = zipped(tmp_path / "bomb.zip", [(f"{number}.png", bytes(1 << 20)) for number in range(12)])
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\1\2")
    while place >= 0:  # each says that it is 95 MB
        content[place + 24 : place + 28] = (95_000_000).to_bytes(4, "little")
        place = content.find(b"PK\1\2", place + 4)
    path.write_bytes(content)
    (bomb,) = found(path)
    assert isinstance(bomb, Failure)
    assert bomb.reason.startswith("it would unpack to more than 200 times its size")


def test_a_member_that_is_larger_than_it_says_is_broken(tmp_path: Path) -> None:
    path = zipped(tmp_path / "lies.zip", [("a.png", bytes(1 << 20))])
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\1\2")
    content[place + 24 : place + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(PictureError, match=r"lies\.zip/a\.png: the archive is broken"):
        contents(found(path))


def test_a_compressed_tar_that_goes_on_for_ever_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "ALWAYS", 3_000_000)
    path = tarred(tmp_path / "bomb.tgz", [(f"{number}.txt", bytes(1 << 20)) for number in range(9)])
    assert [reason[:30] for reason in reasons(found(path))] == ["it would unpack to more than 2"]


def test_a_tar_whose_header_is_long_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.png")
    info.type, info.size = tarfile.XHDTYPE, 50_000_000
    path = tmp_path / "long.tar"
    path.write_bytes(info.tobuf(tarfile.USTAR_FORMAT) + bytes(2048))
    assert reasons(found(path)) == ["the archive is broken: a header is too long"]


def test_broken_and_other_archives_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\3\4" + bytes(100))
    (tmp_path / "b.tar").write_bytes(b"x" * 2000)
    (tmp_path / "c.tgz").write_bytes(b"x" * 2000)
    some = found(tmp_path, tmp_path / "d.rar")
    assert len(reasons(some)) == len(some) == 4
    assert all("\n" not in reason for reason in reasons(some))
    locked = bytearray(zipped(tmp_path / "e.zip", [("a.png", b"x")]).read_bytes())
    locked[locked.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "e.zip").write_bytes(locked)
    assert reasons(found(tmp_path / "e.zip")) == ["it has a password"]


def test_manifests_name_paths_and_ids(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "scans" / name).write_bytes(name.encode())
    zipped(tmp_path / "scans" / "z.zip", [("c.png", b"c.png")])
    table = tmp_path / "list.csv"
    table.write_text("\ufeffID,path\n17,scans/a.png\n17,scans/b.png\n,scans/a.png\n18,\n19,scans/z.zip\n")
    some = found(table)
    assert ids(some, tmp_path) == ["17", "17#2", "scans/a.png", "list.csv:5", "19/c.png"]
    assert reasons(some) == ['no "path" in this line']
    assert contents(some) == [b"a.png", b"b.png", b"a.png", b"c.png"]
    lines = tmp_path / "list.jsonl"
    lines.write_text('{"path": "scans/a.png", "id": 7}\n\n{"path": 3}\n[1]\n{"pa\n{"path": "scans/b.png"}\n')
    some = found(lines)
    assert ids(some, tmp_path) == ["7", "list.jsonl:3", "list.jsonl:4", "list.jsonl:5", "scans/b.png"]
    assert all("\n" not in reason for reason in reasons(some))
    (tmp_path / "no.csv").write_text("file,name\na,b\n")
    assert reasons(found(tmp_path / "no.csv", tmp_path / "missing.csv")) == [
        'no column "path" in the first line', "no such file or folder"
    ]  # fmt: skip


def test_stdin_is_read_once(tmp_path: Path) -> None:
    (one,) = found("-", stdin=io.BytesIO(b"content"))
    assert (one.id, contents([one])) == ("-", [b"content"])
    assert len(reasons(found("-", stdin=io.BytesIO(b"PK\3\4more")))) == 1
