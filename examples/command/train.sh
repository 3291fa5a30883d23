#!/bin/sh
# Fits a polynomial to a noisy sine by gradient descent, and reports the loss as it falls.
lr=0.1 degree=2 momentum=0 epochs=200
while [ $# -gt 0 ]; do
  case "$1" in
    --lr) lr=$2 ;;
    --degree) degree=$2 ;;
    --momentum) momentum=$2 ;;
    --epochs) epochs=$2 ;;
    # Another try would fail too: exit code 78 says so.
    *) echo "there is no flag $1" >&2; exit 78 ;;
  esac
  shift 2
done
exec awk -v lr="$lr" -v degree="$degree" -v momentum="$momentum" -v epochs="$epochs" -v seed="${ESPALIER_SEED:-0}" '
function noise() { seed = (seed * 1103515245 + 12345) % 2147483648; return seed / 2147483648 - 0.5 }
BEGIN {
  points = 40
  for (i = 0; i < points; i++) { x[i] = 2 * i / (points - 1) - 1; y[i] = sin(3 * x[i]) + 0.1 * noise() }
  for (epoch = 1; epoch <= epochs; epoch++) {
    loss = 0
    for (k = 0; k <= degree; k++) slope[k] = 0
    for (i = 0; i < points; i++) {
      guess = 0
      for (k = degree; k >= 0; k--) guess = guess * x[i] + weight[k]
      error = guess - y[i]
      loss += error * error / points
      power = 1
      for (k = 0; k <= degree; k++) { slope[k] += 2 * error * power / points; power *= x[i] }
    }
    if (loss > 1e6) { print "diverged in epoch " epoch > "/dev/stderr"; exit 1 }
    for (k = 0; k <= degree; k++) { speed[k] = momentum * speed[k] - lr * slope[k]; weight[k] += speed[k] }
    if (epoch % 50 == 0) { printf "[tune-metric]: {\"loss\": %.9f, \"step\": %d}\n", loss, epoch; fflush() }
  }
}'
