#!/bin/bash
# Makes the sandbox image's base from Debian's packages, for machines that reach no image registry.
#
#   containers/python-sandbox/make-base-image.sh [NAME]
#
# NAME is python:3.11-slim-bookworm unless given: the name the Dockerfile builds on, so that the plain
# `docker build` works as written afterwards. An image of that name that is already there is left alone.
# Needs root, mmdebstrap and a running engine.
set -euo pipefail

name=${1:-python:3.11-slim-bookworm}
docker=${DEEPRESEARCH_DOCKER_BIN:-docker}

if "$docker" image inspect "$name" >/dev/null 2>&1; then
    echo "$name is already here" >&2
    exit 0
fi
command -v mmdebstrap >/dev/null || {
    echo "mmdebstrap is missing; install it: apt-get install mmdebstrap" >&2
    exit 1
}

# Debian 12's own Python is 3.11. /usr/share/doc and the like have no use in an image.
mmdebstrap --variant=minbase --quiet \
    --include=ca-certificates,python3,python3-venv,python3-pip,python-is-python3 \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/* "$1"/var/log/* "$1"/etc/hostname "$1"/etc/resolv.conf' \
    bookworm - |
    "$docker" import \
        --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8' \
        --change 'CMD ["python3"]' \
        --message 'Debian 12 with Python 3.11, from packages' \
        - "$name" >/dev/null
echo "made $name" >&2
