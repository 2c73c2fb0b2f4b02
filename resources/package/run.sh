#!/bin/sh
# Starts the program of the same name in ../libexec with the libraries that came with it. Where the system's C library is
# as new as ours (@GLIBC@) the program starts by itself; where it is older, or there is none, through ours.
#   FIRSTLIGHT_MPI     the site's own MPICH-compatible library (Cray MPICH, Intel MPI, MVAPICH2), instead of ours:
#                      FIRSTLIGHT_MPI=/opt/site/lib/libmpi.so.12
#   FIRSTLIGHT_GLIBC   ours: ours all the same; system: never ours
self=$(readlink -f "$0")
top=${self%/bin/*}
name=${self##*/}
export FIRSTLIGHT_KERNELS="${FIRSTLIGHT_KERNELS:-$top/lib}" UCX_MODULE_DIR="${UCX_MODULE_DIR:-$top/lib/ucx}"

is_as_new() { # its version, MAJOR.MINOR
  case $1 in
    *.*[!0-9]* | *[!0-9.]* | '' | *.) return 1 ;;
    *.*) [ "${1%%.*}" -gt @GLIBC_MAJOR@ ] || { [ "${1%%.*}" -eq @GLIBC_MAJOR@ ] && [ "${1#*.}" -ge @GLIBC_MINOR@ ]; } ;;
    *) return 1 ;;
  esac
}

case ${FIRSTLIGHT_GLIBC:-} in
  system) how=system ;;
  ours) how=ours ;;
  *)
    there=$(getconf GNU_LIBC_VERSION 2> /dev/null) && is_as_new "${there#glibc }" && [ -e @LOADER@ ] && how=system || how=ours ;;
esac
if [ "$how" = system ]; then
  [ -z "${FIRSTLIGHT_MPI:-}" ] || export LD_PRELOAD="$FIRSTLIGHT_MPI${LD_PRELOAD:+:$LD_PRELOAD}"
  exec "$top/libexec/$name" "$@"
fi
exec "$top/lib/glibc/@LOADER_NAME@" --argv0 "$0" --library-path "$top/lib/glibc:$top/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" \
  ${FIRSTLIGHT_MPI:+--preload "$FIRSTLIGHT_MPI"} "$top/libexec/$name" "$@"
