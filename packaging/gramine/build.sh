#!/bin/sh
# Builds the enclave: build.sh stage | render | sign | policy | run. Each does what comes before it, too, but run.
#
# From the environment, with what is taken when it is not there:
#   STAGE             where files are put together   (build/gramine)
#   DATA              the folder of the store        (STAGE/data)
#   CONFIG            the node's configuration       (packaging/gramine/node.yaml)
#   KEY               the key that signs the enclave (Gramine's own default)
#   PRODUCT_ID 1, SECURITY_VERSION 1, ENCLAVE_SIZE 4G, HEAP_MB 1536, EDMM 0
#   STORE_MOUNT       encrypted; for development alone: insecure-plain-for-development, which makes a debug enclave
#   STORE_RECOVERY    1; 0 for a Gramine that does not know of recovery files, which then survives no crash (README.md)
#   PRODUCTION_MODULES  a node_modules folder to copy from; npm ci in the stage otherwise
# Needs dist, which npm ci in the root of the repository builds.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
STAGE=${STAGE:-$root/build/gramine}
DATA=${DATA:-$STAGE/data}
CONFIG=${CONFIG:-$here/node.yaml}

say() { printf 'build.sh: %s\n' "$1" >&2; }

need() {
  command -v "$1" >/dev/null 2>&1 && return
  say "$1 is not installed: install Gramine 1.7 or later (https://gramine.readthedocs.io), then run this again."
  exit 1
}

# LevelDB must read nothing that the host can craft.
check_mount() {
  case ${STORE_MOUNT:-encrypted} in
  encrypted) ;;
  insecure-plain-for-development)
    say "INSECURE: the host can craft the store's files, and have this enclave's memory for it. It is a debug enclave, which no policy lets in."
    ;;
  *)
    say "the store's mount is encrypted: leave STORE_MOUNT out. For development alone there is insecure-plain-for-development."
    exit 1
    ;;
  esac
}

# The same files, in the same places, each time: MRENCLAVE is over all of them.
stage() {
  check_mount
  if [ ! -f "$root/dist/cli/main.js" ]; then
    say "there is no dist: run npm ci in $root, which builds it, then this again."
    exit 1
  fi
  rm -rf "$STAGE/app"
  mkdir -p "$STAGE/app" "$DATA"
  cp "$(command -v node)" "$STAGE/node"
  cp "$CONFIG" "$STAGE/node.yaml"
  cp -R "$root/dist" "$root/package.json" "$STAGE/app/"
  if [ -n "${PRODUCTION_MODULES:-}" ]; then
    source=$(cd "$(dirname "$PRODUCTION_MODULES")" && pwd)
    (cd "$root" && npm ls --omit=dev --all --parseable) | sed -n "s|^$root/\(node_modules/.*\)|\1|p" >"$STAGE/modules"
    tar -chf "$STAGE/modules.tar" -C "$source" -T "$STAGE/modules"
    tar -xf "$STAGE/modules.tar" -C "$STAGE/app"
    rm "$STAGE/modules" "$STAGE/modules.tar"
  else
    cp "$root/package-lock.json" "$STAGE/app/"
    (cd "$STAGE/app" && npm ci --omit=dev --ignore-scripts)
  fi
  say "the files are in $STAGE"
}

render() {
  need gramine-manifest
  gramine-manifest \
    -Dstage="$STAGE" -Ddata="$DATA" -Darch_libdir="/lib/$(uname -m)-linux-gnu" \
    -Dproduct_id="${PRODUCT_ID:-1}" -Dsecurity_version="${SECURITY_VERSION:-1}" \
    -Denclave_size="${ENCLAVE_SIZE:-4G}" -Dheap_mb="${HEAP_MB:-1536}" \
    -Dedmm="${EDMM:-0}" -Dstore_mount="${STORE_MOUNT:-encrypted}" -Dstore_recovery="${STORE_RECOVERY:-1}" \
    "$here/slotmesh.manifest.template" "$STAGE/slotmesh.manifest"
}

sign() {
  need gramine-sgx-sign
  gramine-sgx-sign ${KEY:+--key "$KEY"} --date 0000-00-00 \
    --manifest "$STAGE/slotmesh.manifest" --output "$STAGE/slotmesh.manifest.sgx"
}

# One line of what Gramine says of the signature, in TOML: the plain text is not for programs.
field() {
  found=$(printf '%s\n' "$view" | sed -n -E "s/^$1 = \"?($2)\"?\$/\1/p")
  [ -n "$found" ] && printf '%s' "$found" && return
  say "gramine-sgx-sigstruct-view says no $1 that is one: look at $STAGE/slotmesh.sig, and at the version of Gramine."
  exit 1
}

# What other nodes' policies have to say to trust this enclave.
policy() {
  need gramine-sgx-sigstruct-view
  view=$(gramine-sgx-sigstruct-view --output-format=toml "$STAGE/slotmesh.sig")
  enclave=$(field mr_enclave '[0-9a-f]{64}')
  signer=$(field mr_signer '[0-9a-f]{64}')
  product=$(field isv_prod_id '[0-9]+')
  svn=$(field isv_svn '[0-9]+')
  printf '# one of these under attestation.policy.allowedMeasurements\n'
  printf -- '- mrEnclave: 0x%s\n' "$enclave"
  printf -- '- mrSigner: 0x%s\n  productId: %s\n  minimumSecurityVersion: %s\n' "$signer" "$product" "$svn"
}

# One after the other: behind && a step that fails in its middle would not end the script.
case ${1:-} in
stage) stage ;;
render)
  stage
  render
  ;;
sign)
  stage
  render
  sign
  ;;
policy)
  stage
  render
  sign
  policy
  ;;
run)
  need gramine-sgx
  cd "$STAGE" && exec gramine-sgx slotmesh
  ;;
*)
  say 'say one of stage, render, sign, policy and run; the beginning of this file explains them.'
  exit 2
  ;;
esac
