#!/bin/sh
# Install the Debian packages that the tests use, where this user may. Without them the tests use ziglang alone, and
# those that need an emulator skip.
set -eu

packages="gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm qemu-user-static cmake gcc-aarch64-linux-gnu libc6-dev-arm64-cross chromium
  adb android-libbase-dev android-libcutils-dev android-liblog-dev android-libboringssl-dev libcap-dev dpkg-dev g++"
missing=""
for package in $packages; do
  dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=""
[ "$(id -u)" -eq 0 ] || sudo="sudo -n"
if command -v apt-get >/dev/null && $sudo true 2>/dev/null; then
  echo "installing$missing"
  $sudo apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
  echo "not installed, and apt-get may not be run here:$missing" >&2
fi
