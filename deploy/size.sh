#!/bin/sh
# Computes how large the web image is: builds its environment in a temporary folder as the Containerfile does, counts the
# bytes of all files, and adds those of the base image, which can't be looked at without a container engine.
# From the root of the project, minutes: deploy/size.sh [PYTHON, as python3.13]
set -eu
python=${1:-python3}
base=125 # MB, assumed: python:3.13-slim-trixie has about 120, and its standard library gets some bytecode
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
megabytes() { find "$@" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%d", sum / 1e6 + 0.5 }'; }

"$python" -m venv --without-pip "$folder/venv"
"$python" -m pip --python "$folder/venv/bin/python" install -q --no-cache-dir --no-compile -r deploy/requirements.txt
packages=$(echo "$folder"/venv/lib/python3.*/site-packages)
unstripped=$(megabytes "$folder/venv")
deploy/strip.sh "$packages"
stripped=$(megabytes "$folder/venv")
mkdir "$folder/lab"
# shellcheck disable=SC2046 # they are several, and some are patterns
cp -r $(sed -n '/&& deploy.strip/,/^FROM base/s/^COPY \(.*\) [^ ]*$/\1/p' deploy/Containerfile) "$folder/lab"
find "$folder/lab" -name __pycache__ -prune -exec rm -r {} +
lab=$(megabytes "$folder/lab")
(cd "$folder/lab" && PYTHONDONTWRITEBYTECODE='' STREAMLIT_LOGGER_LEVEL=error PYTHONPATH=. "$folder/venv/bin/python" -c "$(sed -n 's/^RUN PYTHONPATH=. python -c "\(.*\)"$/\1/p' "$OLDPWD/deploy/Containerfile")")
both=$(megabytes "$folder/venv" "$folder/lab")
echo "packages $unstripped MB, after strip.sh $stripped MB; the lab $lab MB; bytecode $((both - stripped - lab)) MB"
echo "with $base MB of the base image: $((base + both)) MB"
