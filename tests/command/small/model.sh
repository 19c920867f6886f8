#!/bin/sh
echo "latency $(($3 * 64 / $1 + $2)) us"
printf 'unit,area\nall,%s\n' "$(($1 * $2))" > area.csv
