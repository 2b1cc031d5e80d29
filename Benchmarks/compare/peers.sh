# The virtual environment that holds PyTorch and JAX. Sourced by bash behind `scripts/lib.sh`, never run.

# Prints the index of PyTorch's builds without CUDA as a pip option where it answers: they are a tenth of the size.
cpu_index() {
  local index=https://download.pytorch.org/whl/cpu
  if curl -sfI --max-time 10 -o /dev/null "$index/torch/" 2>/dev/null; then printf '%s' "--extra-index-url=$index"; fi
}

# Prints the Python that has the peers, after installing them outside the tree where that was not done yet.
peer_python() {
  if [[ -n ${PANDO_COMPARE_PYTHON:-} ]]; then
    printf '%s' "$PANDO_COMPARE_PYTHON"
    return
  fi
  local wanted="$root/Benchmarks/compare/requirements.txt"
  local environment=${XDG_CACHE_HOME:-$HOME/.cache}/pando/compare/venv
  if ! cmp -s "$wanted" "$environment/requirements.txt"; then
    say "installing $(tr '\n' ' ' <"$wanted")into $environment"
    python3 -m venv --clear "$environment" || fail 2 "python3 cannot make a virtual environment; install python3-venv"
    "$environment/bin/python" -m pip install -q $(cpu_index) -r "$wanted" >&2 \
      || fail 1 "pip could not install what $wanted names"
    cp "$wanted" "$environment/"
  fi
  printf '%s' "$environment/bin/python"
}
