#!/bin/sh
# There is no build step: this installs, and proves that the types fit.
set -eu
cd "$(dirname "$0")/.."
npm ci --no-audit --no-fund
npm exec -- tsc --project .
echo 'installed, types are sound'
