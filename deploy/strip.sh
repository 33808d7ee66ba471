#!/bin/sh
# Removes from an installation, of which $1 is the folder site-packages, what the pages never read. It needs `strip` of
# binutils.
set -eu
cd "$1"
find . -depth -type d -name tests ! -path "./numpy/_core/tests" -exec rm -r {} +
find . -type f \( -name "*.pyi" -o -name "*.pyx" -o -name "*.pxd" -o -name "*.h" -o -name "*.hpp" \) -delete
find . -type f -name "*.so*" -exec strip --strip-unneeded {} + # names of functions, for debuggers
rm -rf pydeck/nbextension/static plotly/labextension plotly/package_data/plotly.min.js # of notebooks and files
rm -f pyarrow/*flight* pyarrow/libarrow_s3* # networks; Streamlit sends tables alone
# Of the hundreds of services of AWS: the object store, and what signs for it.
find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name "sts" ! -name "sso*" ! -name signin -exec rm -r {} +
