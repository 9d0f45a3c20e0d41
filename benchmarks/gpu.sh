#!/bin/bash
# Proves on one card what docs/accelerators.md promises, in under 8 minutes; writes a table to $OUT/summary.md.
#
#     bash benchmarks/gpu.sh [--device gpu|tpu] [--rehearse] [--out DIR]
#
# --rehearse runs the same steps on the CPU with less work: it proves the script, and nothing of a card. Its time
# limits are ten times those on a card. Work on the CPU and two rows of steps on the device run side by side.
# PYTHON names the interpreter (python3). WHEELS names a folder of wheels to install first into a folder of their own,
# with --no-deps, for a machine without a network. BACKENDS names the backends (jax,torch). DATA names a folder with the
# real data; otherwise it is the data that portable holds.
set -u
cd "$(dirname "$0")/.." || exit 2
DEVICE=gpu REHEARSE= OUT=${OUT:-}
while [ $# -gt 0 ]; do
  case $1 in
    --device) DEVICE=$2; shift 2 ;;
    --out) OUT=$2; shift 2 ;;
    --rehearse) REHEARSE=1; DEVICE=cpu; shift ;;
    *) echo "gpu.sh: unknown option $1; expected --device KIND, --rehearse or --out DIR" >&2; exit 2 ;;
  esac
done
LIMITS=1
[ -n "$REHEARSE" ] && LIMITS=10
PY=${PYTHON:-python3} BACKENDS=${BACKENDS:-jax,torch}
OUT=${OUT:-$(mktemp -d)}
mkdir -p "$OUT" || exit 2
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 PORTABLE_MODELS_CACHE="$OUT/cache"
if [ -n "${WHEELS:-}" ]; then
  "$PY" -m pip install -q --no-index --no-deps --no-compile --upgrade --target "$OUT/site" "$WHEELS"/*.whl || exit 2
  export PYTHONPATH="$OUT/site:$PYTHONPATH"
fi
: > "$OUT/steps.tsv"

WATCH=
if [ -z "$REHEARSE" ] && command -v nvidia-smi > /dev/null; then
  nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -lms 200 > "$OUT/memory" &
  WATCH=$!
fi
# A row of steps ends its command when it is ended; Ctrl-C ends the rows.
CHILD=
trap 'kill $CHILD $(jobs -p) 2> /dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# step NAME SECONDS COMMAND...: run it, with a limit, and note its exit code and time.
step() {
  local name=$1 limit=$(($2 * LIMITS)) from=$SECONDS rc
  shift 2
  timeout -k 5 "$limit" "$@" > "$OUT/$name.log" 2>&1 &
  CHILD=$!
  wait "$CHILD"
  rc=$?
  printf '%s\t%s\t%s\n' "$name" "$rc" $((SECONDS - from)) | tee -a "$OUT/steps.tsv"
}

P="$PY -m backends_matrix"
STUDIES="boston imdb" EPOCHS="--epochs 2" LOOP=17
[ -n "$REHEARSE" ] && STUDIES=boston LOOP=4
DATA="--data ${DATA:-sample}"
COMMON="$STUDIES --backends $BACKENDS $EPOCHS $DATA --most-replicas 3"

on_the_cpu() {
  step cpu 200 $P matrix $COMMON --device cpu --replicas 2 --steps never --out "$OUT/cpu"
  for backend in ${BACKENDS//,/ }; do
    step "draws-$backend-cpu" 60 env KERAS_BACKEND="$backend" KERAS_TORCH_DEVICE=cpu JAX_PLATFORMS=cpu \
      CUDA_VISIBLE_DEVICES= "$PY" benchmarks/draws.py
  done
}

studies() {
  step device 180 $P matrix $COMMON --device "$DEVICE" --replicas 0 --steps doubt --out "$OUT/device"
  step keras 180 $P matrix $COMMON --device "$DEVICE" --engine keras --replicas 0 --steps never --out "$OUT/keras"
  for backend in ${BACKENDS//,/ }; do
    step "again-$backend" 60 $P run ${STUDIES##* } --backend "$backend" $EPOCHS $DATA --device "$DEVICE" \
      --out "$OUT/again-$backend"
  done
}

others() {
  for backend in ${BACKENDS//,/ }; do
    # On the device, with nothing set by a worker.
    step "draws-$backend-device" 60 env KERAS_BACKEND="$backend" XLA_PYTHON_CLIENT_PREALLOCATE=false \
      "$PY" benchmarks/draws.py
  done
  step check 150 $P check benchmarks/gpu_model.py --backends "$BACKENDS" --device "$DEVICE" --json "$OUT/check.json"
  step level1 120 $P matrix boston --backends "$BACKENDS" --variant final $EPOCHS $DATA --replicas 0 --steps always \
    --device "$DEVICE" --out "$OUT/level1"
  # As many steps as make a loop in C++ on a CPU; elsewhere they are called one by one.
  step loop 150 $P run boston --backend "${BACKENDS##*,}" --variant kfold --epochs $LOOP $DATA --device "$DEVICE" \
    --out "$OUT/loop"
}

row() {
  trap 'kill $CHILD 2> /dev/null' EXIT
  "$1"
}
row on_the_cpu & ROWS=$!
row studies & ROWS="$ROWS $!"
row others & ROWS="$ROWS $!"
wait $ROWS
step compare 30 $P compare "$OUT/cpu" "$OUT/device" --json "$OUT/compare.json"
step engines 30 $P compare "$OUT/device" "$OUT/keras" --json "$OUT/engines.json"
"$PY" benchmarks/gpu_summary.py "$OUT" ${REHEARSE:+--rehearse} | tee "$OUT/summary.md"
exit "${PIPESTATUS[0]}"
