# Each version of the stage gets a folder of its own: what people changed in an earlier one stays.
set -euo pipefail
stage=$1 region=$2 notebooks=$3 code=$4
version=$(echo "$notebooks $code" | sha256sum | head -c 8)
work=$HOME/SageMaker/sluice-$version
mkdir -p "$work"
cd "$work"
if ! test -e complete; then
    aws s3 cp --only-show-errors "$notebooks" notebooks.zip
    aws s3 cp --only-show-errors "$code" code.zip
    python3 -m zipfile -e notebooks.zip .
    python3 -m zipfile -e code.zip code/sluice
    sed -n '/^uv==/,/[^\\]$/p' requirements.txt > uv.txt
    python3 -m pip install --quiet --user --no-deps --require-hashes -r uv.txt
    python3 -m uv venv --quiet --clear --python 3.12 environment
    python3 -m uv pip install --quiet --python environment/bin/python --require-hashes -r requirements.txt
    touch complete
fi
environment/bin/python -m ipykernel install --user --name sluice --display-name "Sluice $stage" \
    --env SLUICE_STAGE "$stage" --env AWS_DEFAULT_REGION "$region" --env PYTHONPATH "$work/code"
