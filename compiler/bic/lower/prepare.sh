# Fills the context, for POSIX sh: downloads, checks and unpacks on the host, executing nothing of an image.

# bootstrap TAR SUITE VARIANT ARCHITECTURE COMPONENTS [MIRROR]: a root file system from Debian's packages.
bootstrap() {
  [ ! -s "$1" ] || return 0
  rm -rf "$1.part"
  # Its own test of emulation wants arch-test. The last argument keeps a missing mirror from becoming an empty one.
  SOURCE_DATE_EPOCH=$epoch mmdebstrap --mode=root --format=directory --skip=check/qemu --variant="$3" \
    --architectures="$4" --components="$5" "$2" "$1.part" ${6:+"$6"}
  rm -rf "$1.part/dev" "$1.part/etc/hostname" "$1.part/etc/resolv.conf"
  mkdir -m 0755 "$1.part/dev"
  tar --create --sort=name --numeric-owner --one-file-system --xattrs --file "$1.tmp" --directory "$1.part" .
  rm -rf "$1.part"
  mv "$1.tmp" "$1"
}

# fetch FILE URL SHA256|-: downloads a file and checks it.
fetch() {
  [ ! -s "$1" ] || return 0
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --retry 3 --output "$1.part" "$2"
  else
    wget --quiet --tries 3 --output-document "$1.part" "$2"
  fi
  fetched=$(sha256sum <"$1.part")
  if [ "$3" != - ] && [ "${fetched%% *}" != "$3" ]; then
    printf 'bic: %s has the sha256 %s, expected %s\n' "$2" "${fetched%% *}" "$3" >&2
    rm -f "$1.part"
    return 1
  fi
  mv "$1.part" "$1"
}

# extract DIRECTORY ARCHIVE NAME STRIP: unpacks a tar or zip archive; owners and special modes are dropped.
extract() {
  [ ! -d "$1" ] || return 0
  rm -rf "$1.part"
  mkdir "$1.part"
  case $3 in
    *.zip | *.jar | *.whl | *.ZIP)
      if command -v unzip >/dev/null; then
        unzip -q "$2" -d "$1.part"
      else
        python3 -m zipfile -e "$2" "$1.part"
      fi
      extract_strip "$1.part" "$4"
      ;;
    *)
      tar --extract --file "$2" --directory "$1.part" --no-same-owner --no-same-permissions \
        --strip-components "$4"
      ;;
  esac
  chmod -R u=rwX,go=rX "$1.part"
  mv "$1.part" "$1"
}

# extract_strip DIRECTORY COUNT: what tar's --strip-components does, for an unpacked tree.
extract_strip() {
  es_count=$2
  while [ "$es_count" -gt 0 ]; do
    mkdir "$1.strip"
    for es_top in "$1"/*/; do
      [ -d "$es_top" ] || continue
      find "$es_top" -mindepth 1 -maxdepth 1 -exec mv '{}' "$1.strip/" ';'
    done
    rm -rf "$1"
    mv "$1.strip" "$1"
    es_count=$((es_count - 1))
  done
}
