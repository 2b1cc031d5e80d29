# Shared by ./pando, ./test and .ci/run: what must be installed, and the build. Sourced by bash, never run.
#
# `root` must hold the repository's absolute path.

build_folder="$root/.build"
binary="$build_folder/release/pando"
# Touched to the moment at which the last successful build began.
stamp="$build_folder/pando.stamp"
build_log="$build_folder/pando-build.log"

say() { printf 'pando: %s\n' "$*" >&2; }

fail() {
  local code=$1
  shift
  printf 'error: %s\n' "$*" >&2
  exit "$code"
}

# Prints the Debian packages that the build, and what the arguments name, need and that are not there.
missing_packages() {
  local package
  for package in libdnnl-dev zlib1g-dev "$@"; do
    # Asking for the status alone would take a package that was removed, but not purged, for installed.
    [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) == ii* ]] || printf '%s\n' "$package"
  done
  # The linker's libgomp.so comes with whichever gcc this Debian has.
  compgen -G '/usr/lib/gcc/*/*/libgomp.so' >/dev/null || printf '%s\n' gcc
}

# Installs packages, or exits 2 with the command that would.
install_packages() {
  local command=(apt-get install -y --no-install-recommends "$@") privileged=()
  if [[ $(id -u) != 0 ]]; then
    if ! { command -v sudo && sudo -n true; } >/dev/null 2>&1; then
      fail 2 "missing packages: $*; install them with: sudo ${command[*]}"
    fi
    privileged=(sudo -n)
  fi
  say "installing $*"
  local log
  log=$(mktemp)
  local apt=("${privileged[@]}" env DEBIAN_FRONTEND=noninteractive)
  local options=(-q -o DPkg::Lock::Timeout=300)
  # The lists on a new machine are empty or old, so a first failure is worth an update and another try.
  if ! "${apt[@]}" "${command[@]}" "${options[@]}" </dev/null >"$log" 2>&1 \
    && ! { "${apt[@]}" apt-get update "${options[@]}" && "${apt[@]}" "${command[@]}" "${options[@]}"; } \
      </dev/null >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail 2 "could not install $*; try: ${privileged[*]:+sudo }${command[*]}"
  fi
  rm -f "$log"
}

# Makes sure of the system packages, and those named, where there is Debian's package manager to ask.
ensure_packages() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || return 0
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
}

# Makes sure of a Swift toolchain.
ensure_swift() {
  local advice="Pando needs Swift 6.0 or newer: https://www.swift.org/install/linux/"
  command -v swift >/dev/null || fail 2 "there is no 'swift' on the PATH; $advice"
  local version
  version=$(swift --version 2>&1 </dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\)\..*/\1/p' | head -n 1)
  [[ -n $version ]] || fail 2 "'swift --version' does not answer with a version; $advice"
  ((version >= 6)) || fail 2 "$(command -v swift) is Swift $version; $advice"
}

# Whether the binary stands for the sources as they are. Compares change times, which no copying tool sets back, and
# those of folders too, which a deleted file moves.
is_built() {
  [[ -x $binary && -f $stamp && $(<"$stamp") == "$root" ]] || return 1
  [[ -z $(find "$root/Package.swift" "$root/Sources" -cnewer "$stamp" -print -quit) ]]
}

# Runs `swift build` with the given arguments, one updating line in place of the compiler's output.
compile() {
  local began=$SECONDS last=-100 count
  : >"$build_log"
  [[ -x $binary ]] && say "building" || say "building in release; the first time takes a few minutes"
  swift build --package-path "$root" -c release "$@" </dev/null >"$build_log" 2>&1 9>&- &
  local compiler=$!
  trap 'kill -TERM $compiler 2>/dev/null; wait $compiler || true; exit 130' INT TERM
  while kill -0 $compiler 2>/dev/null; do
    sleep 0.2
    count=$(tail -n 1 "$build_log" | sed -n 's|^\[\([0-9]*/[0-9]*\)\].*|\1|p')
    if [[ -t 2 ]]; then
      printf '\r\033[Kpando: building %s  %d s' "$count" $((SECONDS - began)) >&2
    elif ((SECONDS - last >= 30 && SECONDS > began)); then
      ((last < 0)) || say "building $count, $((SECONDS - began)) s"
      last=$SECONDS
    fi
  done
  local code=0
  wait $compiler || code=$?
  trap - INT TERM
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
  if ((code != 0)); then
    # The first errors are the ones to mend; the compiler says each twice. Anything else means the linker spoke.
    local errors
    errors=$(grep -E '(^|: )error: ' "$build_log" | awk '!seen[$0]++' | head -n 10 || true)
    [[ -n $errors ]] || errors=$(tail -n 30 "$build_log")
    printf '%s\n' "${errors//"$root/"/}" >&2
    fail 1 "the build failed; all the compiler said is in $build_log"
  fi
  say "built in $((SECONDS - began)) s"
}

# Builds unless that is done; extra arguments go to `swift build`. Only one process builds at a time.
build() {
  mkdir -p "$build_folder" || fail 1 "cannot write to $root"
  exec 9>"$build_folder/pando.lock"
  if ! flock -n 9; then
    say "waiting for another build to end"
    flock 9
  fi
  if (($# > 0)) || ! is_built; then
    ensure_packages
    ensure_swift
    # Compiled modules hold the path they were compiled at, and fail elsewhere: a moved or copied folder starts anew.
    if [[ -f $stamp && $(<"$stamp") != "$root" ]]; then rm -rf "$build_folder"/*-*-*/; fi
    # Stamped with the time before the build, so that an edit during it counts as newer.
    printf '%s' "$root" >"$stamp.new"
    compile "${@:---product=pando}"
    mv "$stamp.new" "$stamp"
  fi
  exec 9>&-
}
