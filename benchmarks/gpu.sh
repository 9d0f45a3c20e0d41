#!/bin/bash
# Proves on one card what docs/accelerators.md promises, in under 8 minutes; writes a table to $OUT/summary.md.
#
#     bash benchmarks/gpu.sh [--device gpu|tpu] [--rehearse] [--out DIR]
#
# --rehearse runs the same steps on the CPU with less work: it proves the script, and nothing of a card. Its time
# limits are ten times those on a card.
# PYTHON names the interpreter (python3). WHEELS names a folder of wheels to install first into a folder of their own,
# with --no-deps, for a machine without a network. BACKENDS names the backends (jax,torch).
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

# step NAME SECONDS COMMAND...: run it, with a limit, and note its exit code, time and the card's largest memory.
step() {
  local name=$1 limit=$(($2 * LIMITS)) watch= from=$SECONDS rc
  shift 2
  if [ -z "$REHEARSE" ] && command -v nvidia-smi > /dev/null; then
    nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -lms 200 > "$OUT/$name.memory" &
    watch=$!
  fi
  timeout -k 5 "$limit" "$@" > "$OUT/$name.log" 2>&1
  rc=$?
  [ -n "$watch" ] && kill "$watch"
  printf '%s\t%s\t%s\t%s\n' "$name" "$rc" $((SECONDS - from)) \
    "$(sort -n "$OUT/$name.memory" 2> /dev/null | tail -1)" | tee -a "$OUT/steps.tsv"
}

P="$PY -m backends_matrix"
STUDIES="boston imdb" EPOCHS="--epochs 2" LOOP=17
[ -n "$REHEARSE" ] && STUDIES=boston LOOP=4
COMMON="$STUDIES --backends $BACKENDS $EPOCHS --most-replicas 3"
for backend in ${BACKENDS//,/ }; do
  step "draws-$backend-cpu" 60 env KERAS_BACKEND="$backend" KERAS_TORCH_DEVICE=cpu JAX_PLATFORMS=cpu \
    CUDA_VISIBLE_DEVICES= "$PY" benchmarks/draws.py
  # On the device, with nothing set by a worker.
  step "draws-$backend-device" 60 env KERAS_BACKEND="$backend" XLA_PYTHON_CLIENT_PREALLOCATE=false "$PY" benchmarks/draws.py
done
step cpu 120 $P matrix $COMMON --device cpu --replicas 2 --steps never --out "$OUT/cpu"
step device 120 $P matrix $COMMON --device "$DEVICE" --replicas 0 --steps doubt --out "$OUT/device"
step level1 90 $P matrix boston --backends "$BACKENDS" --variant final $EPOCHS --replicas 0 --steps always \
  --device "$DEVICE" --out "$OUT/level1"
step keras 90 $P matrix $COMMON --device "$DEVICE" --engine keras --replicas 0 --steps never --out "$OUT/keras"
for backend in ${BACKENDS//,/ }; do
  step "again-$backend" 60 $P run ${STUDIES##* } --backend "$backend" $EPOCHS --device "$DEVICE" --out "$OUT/again-$backend"
done
# As many steps as make a loop in C++ on a CPU; elsewhere they are called one by one.
step loop 80 $P run boston --backend "${BACKENDS##*,}" --variant kfold --epochs $LOOP --device "$DEVICE" --out "$OUT/loop"
step compare 30 $P compare "$OUT/cpu" "$OUT/device" --json "$OUT/compare.json"
step engines 30 $P compare "$OUT/device" "$OUT/keras" --json "$OUT/engines.json"
"$PY" benchmarks/gpu_summary.py "$OUT" ${REHEARSE:+--rehearse} | tee "$OUT/summary.md"
exit "${PIPESTATUS[0]}"
