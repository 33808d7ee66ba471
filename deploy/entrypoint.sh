#!/bin/sh
# Secrets come as files: NAME_FILE=/run/secrets/x sets NAME to what the file holds, for the settings of LSTM Lab.
set -eu
for name in $(env | sed -n 's/^\(LSTM_LAB_[A-Z_]*\)_FILE=.*/\1/p'); do
  export "$name=$(cat "$(printenv "${name}_FILE")")"
done
exec "$@"
