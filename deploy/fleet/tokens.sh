#!/bin/bash
# Makes InfluxDB's tokens for Telegraf, which may write, and Grafana, which may read, and writes them into .env: once,
# after docker compose up -d influxdb. The administrator's token stays in .env for people who administer.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
for kind in write read; do
    name=INFLUX_${kind^^}_TOKEN
    ! grep -q "^$name=" .env || continue
    token=$(docker compose exec -T influxdb influx auth create --org digitlens "--$kind-buckets" --description "$name" \
        --json | sed -n 's/.*"token": *"\([^"]*\)".*/\1/p')
    [ -n "$token" ] || {
        echo "fleet: InfluxDB gives no token: does it run? docker compose up -d influxdb" >&2
        exit 1
    }
    echo "$name=$token" >>.env
done
echo "fleet: .env has the tokens: docker compose up -d"
