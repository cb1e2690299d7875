#!/bin/bash
# Installs digitlens on this machine as a service, or replaces the installed version.
# Safe to run again. A failure is reported in one line and leaves the machine as it was.
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

usage="usage: sudo ./install.sh [--without-picamera]"
here=$(cd "$(dirname "$0")" && pwd)
opt=/opt/digitlens
etc=/etc/digitlens
unit=/etc/systemd/system/digitlens.service
pause=/etc/systemd/system/digitlens.service.d/10-growing-pause.conf
log=/var/log/digitlens-install.log
needed=500 # MB free in /opt: an environment takes about 300, and the previous version stays
patience=90 # seconds for the service to come up
work='' new='' old='' built='' switched='' why=''

say() { echo "digitlens: $*"; }
fail() {
    echo "digitlens: $*" >&2
    exit 1
}
# quietly WHAT COMMAND...: runs a command whose output only matters if it fails.
quietly() {
    local what=$1
    shift
    echo "== $what: $*" >>"$log"
    "$@" >"$work/said" 2>&1 && { cat "$work/said" >>"$log"; return; }
    cat "$work/said" >>"$log"
    fail "$what: $(grep -v '^[[:space:]]*$' "$work/said" | tail -n 1 |
        sed 's/^digitlens: \(error: \)\?//' | cut -c -300) (full output: $log)"
}

# activate DIR: makes it the running version, with its own unit.
activate() {
    ln -sfn "$(basename "$1")" "$opt/current.new"
    mv -T "$opt/current.new" "$opt/current"
    install -m 644 "$1/unit/digitlens.service" "$unit"
    if [ "$(systemctl --version | awk 'NR == 1 { print int($2) }')" -ge 254 ]; then
        install -D -m 644 "$1/unit/growing-pause.conf" "$pause"
    else
        rm -f "$pause"
    fi
    [ -z "$running" ] || systemctl daemon-reload
}

# Starts the current version and waits until it reads frames; false if it fails for good or twice, or takes too long.
comes_up() {
    local end=$((SECONDS + patience)) since before state
    since=$(date '+%Y-%m-%d %H:%M:%S')
    before=$(systemctl show -P InvocationID digitlens)
    systemctl reset-failed digitlens 2>/dev/null || true
    systemctl restart --no-block digitlens
    while :; do
        state=$(systemctl show -P ActiveState digitlens)
        [ "$(systemctl show -P InvocationID digitlens)" != "$before" ] || state=waiting
        case $state in
        active) return ;;
        failed) break ;;
        esac
        if [ "$SECONDS" -ge "$end" ] || [ "$(systemctl show -P NRestarts digitlens)" -ge 2 ]; then
            break
        fi
        sleep 0.2
    done
    # The service's last warning or error, or else systemd's about the service.
    for whose in _SYSTEMD_UNIT UNIT; do
        why=$(journalctl -q -b "$whose=digitlens.service" --since "$since" -o cat -p warning --no-pager 2>>"$log" | tail -n 1)
        [ -z "$why" ] || break
    done
    why=${why:-no frame was read within $patience s}
    return 1
}

# On every exit: nothing half done stays.
leave() {
    local status=$?
    trap - EXIT
    if [ "$status" != 0 ] && [ -n "$switched" ]; then
        if [ -n "$old" ]; then
            activate "$old"
            comes_up || echo "digitlens: the previous version does not come up either: $why" >&2
        else
            systemctl disable --quiet digitlens 2>/dev/null || true
            rm -f "$opt/current" "$unit" "$pause"
        fi
    fi
    [ "$status" = 0 ] || [ -z "$built" ] || rm -rf "$new"
    rm -rf "$work"
    rmdir "$opt" 2>/dev/null || true
    exit "$status"
}

picamera=yes
for option in "$@"; do
    case $option in
    --without-picamera) picamera='' ;;
    *) fail "$usage" ;;
    esac
done

# 1. Check the machine.
[ "$(id -u)" = 0 ] || fail "must be root: sudo $0"
[ "$(getconf LONG_BIT)" = 64 ] || fail "this is a 32-bit system, and the interpreter has no wheels for it; install the 64-bit Raspberry Pi OS"
machine=$(uname -m)
case $machine in
aarch64 | x86_64) ;;
*) fail "$machine: there are wheels for aarch64 and x86_64 only" ;;
esac
command -v apt-get >/dev/null || fail "needs apt: Raspberry Pi OS or Debian, bookworm or trixie"
command -v systemctl >/dev/null || fail "needs systemd"
python=/usr/bin/python3
[ -x "$python" ] || fail "needs Python: apt install python3 python3-venv"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ -f "$here/pins/$version.txt" ] ||
    fail "Python $version: digitlens needs the one of bookworm (3.11) or trixie (3.13)"
for file in digitlens.service growing-pause.conf local-network.conf config.toml uninstall.sh; do
    [ -f "$here/$file" ] || fail "$here/$file is missing: copy the folder again"
done
free=$(df --output=avail -m /opt | tail -n 1)
[ "$free" -ge "$needed" ] || fail "/opt has $((free)) MB free, and $needed are needed"
# Without a running systemd (an SD card image is being made) nothing can be started.
running=''
[ ! -d /run/systemd/system ] || running=yes

# In a folder that only root can write: in /run/lock anybody could take the lock, or lead it elsewhere.
exec 9>/run/digitlens-install.lock
flock --nonblock 9 || fail "another installation is running"
work=$(mktemp -d /tmp/digitlens-install.XXXXXX)
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
: >"$log"
if [ -f "$here/SHA256SUMS" ]; then
    (cd "$here" && sha256sum --quiet --check SHA256SUMS) >"$work/said" 2>&1 ||
        fail "$here is damaged, copy it again: $(grep -v WARNING "$work/said" | head -n 1)"
fi

# 2. Packages that only apt has.
has() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }
known() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'; }
packages=''
has python3-venv || packages=python3-venv
if [ -n "$picamera" ] && ! has python3-picamera2; then
    [ ! -e /etc/rpi-issue ] || known python3-picamera2 || quietly "apt-get update" apt-get update
    if known python3-picamera2; then
        packages="$packages python3-picamera2"
    else
        say "this system's apt has no python3-picamera2: continuing without the Pi's own camera; USB cameras work"
    fi
fi
if [ -n "$packages" ]; then
    say "apt installs $packages"
    # shellcheck disable=SC2086  # a list
    quietly "apt cannot install $packages; without a network install it beforehand, or --without-picamera" \
        env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages
fi

# 3. The wheel and its environment.
wheel=$(find "$here" -maxdepth 1 -name 'digitlens-*.whl')
case $wheel in
*$'\n'*) fail "$here has several wheels of digitlens: leave one" ;;
'')
    [ -f "$here/../pyproject.toml" ] && [ -f "$here/pins/build.lock" ] || fail "$here has no wheel of digitlens: copy the folder again"
    say "building the wheel"
    # By nobody, from a copy, with tools whose hashes are known: no build step runs as root.
    chmod 711 "$work"
    mkdir "$work/build" "$work/build/source" "$work/build/wheel"
    cp -r "$here"/../{edge,pyproject.toml,README.md,LICENSE} "$work/build/source"
    cp "$here/pins/build.lock" "$work/build"
    chown -R nobody: "$work/build"
    nobody=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups --no-new-privs --inh-caps=-all
        env -i -C "$work/build" HOME="$work/build" LC_ALL=C.UTF-8 PATH="$PATH")
    pip=("$work/build/venv/bin/python" -m pip --isolated --disable-pip-version-check --no-input)
    quietly "no environment" "${nobody[@]}" "$python" -m venv "$work/build/venv"
    quietly "what builds the wheel cannot be installed" "${nobody[@]}" "${pip[@]}" install --no-cache-dir --no-deps \
        --only-binary=:all: --require-hashes -r "$work/build/build.lock"
    quietly "the wheel cannot be built" "${nobody[@]}" "${pip[@]}" wheel --no-cache-dir --no-deps --no-index \
        --no-build-isolation -w "$work/build/wheel" "$work/build/source"
    wheel=$work/$(basename "$work"/build/wheel/digitlens-*.whl)
    install -m 644 "$work/build/wheel/$(basename "$wheel")" "$wheel" # nobody can change it any more
    ;;
esac
release=$(basename "$wheel" | cut -d - -f 2)
hash=$(cat "$wheel" "$here/pins/$version.txt" "$here/digitlens.service" "$here"/{growing-pause,local-network}.conf | sha256sum | cut -c -8)
new=$opt/$release-py$version-$hash
old=$(readlink -e "$opt/current" || true)
if [ -e "$new/complete" ]; then
    say "$release is there already"
else
    say "installing $release for Python $version into $new"
    source=(--no-index --find-links "$here/wheels")
    [ -d "$here/wheels" ] || source=()
    built=yes
    rm -rf "$new"
    mkdir -p "$opt"
    pip=("$new/bin/python" -m pip --isolated --disable-pip-version-check --no-input install --no-cache-dir --no-deps)
    # picamera2 comes from apt; everything else is pinned, even if apt has it too.
    quietly "no environment" "$python" -m venv --system-site-packages "$new"
    quietly "what digitlens needs cannot be installed" \
        "${pip[@]}" --ignore-installed --only-binary=:all: --require-hashes "${source[@]}" -r "$here/pins/$version.txt"
    quietly "the wheel cannot be installed" "${pip[@]}" --no-index "$wheel"
    install -D -m 644 -t "$new/unit" "$here/digitlens.service" "$here/growing-pause.conf" "$here/local-network.conf"
    install -m 755 "$here/uninstall.sh" "$new/unit/uninstall.sh"
fi
# A network that does not run on this processor or settings that do not fit are reported before anything changes.
settings=$etc/config.toml
[ -e "$settings" ] || settings=$here/config.toml
quietly "$release does not run here" "$new/bin/python" -c \
    'import numpy; from digitlens import Classifier; Classifier.load().probabilities(numpy.zeros((1, 28, 28), "u1"))'
quietly "$settings does not fit $release" "$new/bin/digitlens" serve --check --config "$settings"
touch "$new/complete"

# 4. The service's user and its settings.
for group in video render; do
    getent group "$group" >/dev/null || quietly "no group $group" groupadd --system "$group"
done
id digitlens >/dev/null 2>&1 ||
    quietly "no user" useradd --system --user-group --home-dir /var/lib/digitlens --no-create-home \
        --shell /usr/sbin/nologin digitlens
quietly "the user digitlens cannot be put into the groups video and render" usermod --append --groups video,render digitlens
install -d -m 755 "$etc"
if [ ! -e "$etc/config.toml" ]; then
    install -m 640 -g digitlens "$here/config.toml" "$etc/config.toml"
    rm -f "$etc/config.toml.new"
elif cmp -s "$here/config.toml" "$etc/config.toml"; then
    rm -f "$etc/config.toml.new"
elif ! cmp -s "$here/config.toml" "$etc/config.toml.new"; then
    install -m 640 -g digitlens "$here/config.toml" "$etc/config.toml.new"
    say "$etc/config.toml is unchanged; this version's example is beside it, config.toml.new"
fi

# 5. Switch to the new version; roll back if it does not come up.
was_up=''
[ -z "$running" ] || ! systemctl is-active --quiet digitlens || was_up=yes
switched=yes
activate "$new"
quietly "cannot be enabled" systemctl enable digitlens
if [ -z "$running" ]; then
    say "$release is installed; no systemd runs here, so it starts when the system does"
elif comes_up; then
    say "$release is up, its first frame has been read"
elif [ -n "$was_up" ] && [ "$new" != "$old" ]; then
    failed=$why
    switched=''
    activate "$old"
    comes_up || fail "$release does not come up ($failed), and $(basename "$old") no longer does either: $why"
    fail "$release does not come up: $failed; back on $(basename "$old")"
else
    switched='' built=''
    fail "$release is installed but not up: $why; systemd keeps trying, see journalctl -u digitlens"
fi
switched=''
install -m 755 "$new/unit/uninstall.sh" "$opt/uninstall.sh"
ln -sfn "$opt/current/bin/digitlens" /usr/local/bin/digitlens

# 6. Keep the previous version, remove older ones.
if [ -n "$old" ] && [ "$old" != "$new" ]; then
    ln -sfn "$(basename "$old")" "$opt/previous"
fi
previous=$(readlink -e "$opt/previous" || true)
for directory in "$opt"/*-py*; do
    [ "$directory" = "$new" ] || [ "$directory" = "$previous" ] || rm -rf "$directory"
done
