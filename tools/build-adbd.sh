#!/bin/sh
# Build the device side of adb for this machine from Debian's source package, for the tests that need a phone.
# Debian packages the client alone. Without what is needed nothing is built, and those tests skip.
#
# usage: build-adbd.sh PROGRAM
set -eu

[ ! -x "$1" ] || exit 0
program=$(realpath "$1")
version=1:29.0.6-28
for package in adb android-libbase-dev android-libcutils-dev android-liblog-dev android-libboringssl-dev libcap-dev g++ dpkg-dev; do
  if ! dpkg-query --show "$package" >/dev/null 2>&1; then
    echo "adbd is not built: $package is not installed" >&2
    exit 0
  fi
done
if [ "$(dpkg-query --show --showformat='${Version}' adb)" != "$version" ]; then
  echo "adbd is not built: adb is not of version $version" >&2
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "building $program"

# Source lists of our own, beside the machine's.
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/parts"
touch "$work/sources.list"
for list in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
  [ ! -f "$list" ] || sed 's/^Types:.*/Types: deb-src/; s/^deb /deb-src /' "$list" >"$work/parts/$(basename "$list")"
done
[ ! -f "$work/parts/sources.list" ] || mv "$work/parts/sources.list" "$work/sources.list"
cat >"$work/apt.conf" <<EOF
Dir::Etc::sourceparts "$work/parts";
Dir::Etc::sourcelist "$work/sources.list";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "";
EOF
export APT_CONFIG="$work/apt.conf"
if ! (apt-get update -qq && cd "$work" && apt-get source -qq --only-source "android-platform-tools=${version#*:}") >"$work/log" 2>&1; then
  echo "adbd is not built: its source is not to be had: $(tail -n 1 "$work/log")" >&2
  exit 0
fi
cd "$work"/android-platform-tools-*/

# Its own build is Clang's: two headers that GCC misses, and an annotation that GCC refuses at definitions.
cat >"$work/gcc.h" <<EOF
#include <atomic>
#include <optional>
#include <android-base/thread_annotations.h>
#undef EXCLUDES
#define EXCLUDES(...)
EOF

adb=system/core/adb
common="adb adb_io adb_listeners adb_trace adb_unique_fd adb_utils fdevent/fdevent fdevent/fdevent_epoll
  fdevent/fdevent_poll services shell_service_protocol socket_spec sockets sysdeps/errno sysdeps/posix/network sysdeps_unix
  transport transport_fd transport_local transport_usb types adbconnection/adbconnection_server"
daemon="auth file_sync_service jdwp_service main services shell_service usb_dummy"
includes=-I/usr/include/android
for folder in $adb $adb/daemon/include $adb/adbconnection/include system/core/include system/core/libasyncio/include \
  system/core/base/include system/core/diagnose_usb/include system/core/libcrypto_utils/include \
  system/core/libcutils/include system/core/liblog/include frameworks/native/libs/adbd_auth/include; do
  includes="$includes -I$folder"
done
# Whoever reaches the port may enter: the tests let it listen on the loopback address only.
defines="-D_GNU_SOURCE -DNDEBUG -DADB_HOST=0 -DALLOW_ADBD_NO_AUTH -DALLOW_ADBD_ROOT=1"
versions="-DADB_VERSION=\\\"${version#*:}\\\" -DPLATFORM_TOOLS_VERSION=\\\"29.0.6\\\""

{
  for name in $common; do echo "$adb/$name.cpp"; done
  for name in $daemon; do echo "$adb/daemon/$name.cpp"; done
  echo system/core/diagnose_usb/diagnose_usb.cpp
  echo frameworks/native/libs/adbd_auth/adbd_auth.cpp
} >"$work/files"
xargs -P "$(nproc)" -I '{}' sh -c "o=$work/\$(echo {} | tr / _).o
  g++ -std=gnu++2a -O0 -w -fpermissive -include $work/gcc.h $defines $versions $includes -c {} -o \$o" <"$work/files"
gcc -O0 -w $includes -c system/core/libcrypto_utils/android_pubkey.c -o "$work/android_pubkey.o"
libraries=/usr/lib/$(gcc -print-multiarch)/android
g++ "$work"/*.o -o "$work/adbd" "-L$libraries" "-Wl,-rpath=$libraries" -lbase -lcutils -llog -lcrypto -lresolv -lutil -lpthread
install -D -m 755 "$work/adbd" "$program"
