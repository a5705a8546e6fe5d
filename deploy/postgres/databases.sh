#!/usr/bin/env bash
# Run once by the postgres image, on an empty data directory: a role and a database for each service, closed to the others.
set -euo pipefail

for service in booking rebooking notifications; do
  password="DAYBOOK_POSTGRES_PASSWORD_${service^^}"
  psql --username "$POSTGRES_USER" --set ON_ERROR_STOP=1 --set service="$service" --set password="${!password}" <<'SQL'
    CREATE ROLE :"service" LOGIN PASSWORD :'password';
    CREATE DATABASE :"service" OWNER :"service";
    REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
SQL
done
