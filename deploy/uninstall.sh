#!/bin/bash
# Removes digitlens from this machine; --purge also removes its settings and stored readings. Safe to run again.
set -euo pipefail
export LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

fail() {
    echo "digitlens: $*" >&2
    exit 1
}
purge=''
for option in "$@"; do
    [ "$option" = --purge ] || fail "usage: sudo $0 [--purge]"
    purge=yes
done
[ "$(id -u)" = 0 ] || fail "must be root: sudo $0"
exec 9>/run/digitlens-install.lock
flock --nonblock 9 || fail "an installation is running: wait for it"

if [ -d /run/systemd/system ] && [ -e /etc/systemd/system/digitlens.service ]; then
    systemctl stop digitlens || fail "cannot be stopped: systemctl status digitlens"
fi
systemctl disable --quiet digitlens 2>/dev/null || true
rm -f /etc/systemd/system/digitlens.service /etc/systemd/system/digitlens.service.d/10-growing-pause.conf
rmdir --ignore-fail-on-non-empty /etc/systemd/system/digitlens.service.d 2>/dev/null || true
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl reset-failed digitlens 2>/dev/null || true
fi
[ ! -L /usr/local/bin/digitlens ] || rm -f /usr/local/bin/digitlens
rm -rf /opt/digitlens
if [ -n "$purge" ]; then
    # What purging cannot reach, named before the settings are gone.
    stays=("system's journal: the service's log lines, without readings unless log was \"debug\"; systemd ages them out")
    [ ! -e /etc/digitlens/config.toml ] || while IFS='|' read -r key value; do
        case $key in
        file) case $value in '' | /var/lib/digitlens/*) ;; *) stays+=("$value*: the readings, outside of /var/lib/digitlens") ;; esac ;;
        broker) stays+=("MQTT broker $value: what was retained below the device's topics; mosquitto_sub --remove-retained -W 5 -t 'digitlens/NAME/#' deletes it, and with -t 'homeassistant/+/digitlens_NAME/#' the sensors in Home Assistant") ;;
        url | url_file) stays+=("the webhook's receiver: what it was sent") ;;
        esac
    done < <(sed -n 's/^[[:space:]]*\(file\|broker\|url\|url_file\)[[:space:]]*=[[:space:]]*["'"'"']\([^"'"'"']\+\)["'"'"'].*/\1|\2/p' /etc/digitlens/config.toml)
    [ ! -e /usr/lib/python3/dist-packages/picamera2 ] || stays+=("apt's packages python3-picamera2 and python3-venv")
    rm -rf /etc/digitlens /var/lib/digitlens /etc/systemd/system/digitlens.service.d /var/log/digitlens-install.log
    ! id digitlens >/dev/null 2>&1 || userdel digitlens || fail "the user digitlens cannot be removed"
    ! getent group digitlens >/dev/null || groupdel digitlens
    echo "digitlens: removed, with its settings and stored readings; what stays elsewhere:"
    printf '  %s\n' "${stays[@]}"
else
    echo "digitlens: removed; /etc/digitlens and /var/lib/digitlens stay (--purge removes them too)"
fi
rm -f /run/digitlens-install.lock
