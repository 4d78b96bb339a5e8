#!/bin/sh
# The classic shift on the real engine, in real time (10 s an order), kept in scripts/result.txt.
set -eu
cd "$(dirname "$0")/.."
result=scripts/result.txt
rm -f "$result"
if node scripts/twolane.mjs simulate > "$result.part"; then
  mv "$result.part" "$result"
  cat "$result"
else
  status=$?
  cat "$result.part"
  rm -f "$result.part"
  exit "$status"
fi
