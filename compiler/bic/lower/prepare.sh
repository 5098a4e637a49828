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
    curl --fail --silent --show-error --globoff --location --retry 3 --output "$1.part" "$2"
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

# extract DIRECTORY ARCHIVE STRIP: unpacks a tar or zip archive; owners and special modes are dropped.
extract() {
  [ ! -d "$1" ] || return 0
  rm -rf "$1.part"
  mkdir "$1.part"
  if [ "$(head -c 2 "$2")" = PK ]; then
    unzip_into "$1.part" "$2"
    strip "$1.part" "$3"
  else
    tar --extract --file "$2" --directory "$1.part" --no-same-owner --no-same-permissions \
      --strip-components "$3"
  fi
  if [ -n "$(find "$1.part" ! -type f ! -type d ! -type l -print)" ]; then
    echo "bic: the archive holds what is neither a file, a directory nor a symbolic link: $2" >&2
    return 1
  fi
  chmod -R u=rwX,go=rX,ug-s,-t "$1.part"
  mv "$1.part" "$1"
}

# unzip_into DIRECTORY ARCHIVE: executable files and symbolic links become such with either tool.
unzip_into() {
  if command -v unzip >/dev/null; then
    LC_ALL=C.UTF-8 unzip -q "$2" -d "$1"
    return
  fi
  python3 - "$1" "$2" <<'END'
import os, stat, sys, zipfile

links = []
with zipfile.ZipFile(sys.argv[2]) as archive:
    for info in archive.infolist():
        mode = info.external_attr >> 16
        path = archive.extract(info, sys.argv[1])
        if stat.S_ISLNK(mode):
            links.append((path, archive.read(info)))
        elif not info.is_dir():
            os.chmod(path, 0o755 if mode & 0o100 else 0o644)
for path, target in links:
    os.unlink(path)
    os.symlink(target, path)
END
}

# strip DIRECTORY COUNT: what tar's --strip-components does, for an unpacked tree.
strip() {
  st_count=$2
  while [ "$st_count" -gt 0 ]; do
    mkdir "$1.strip"
    for st_top in "$1"/*/ "$1"/.[!.]*/ "$1"/..?*/; do
      # A link to a directory is a leaf: what lies behind it is not the archive's.
      [ -d "$st_top" ] && [ ! -L "${st_top%/}" ] || continue
      cp -R -P -p "$st_top." "$1.strip/"
    done
    rm -rf "$1"
    mv "$1.strip" "$1"
    st_count=$((st_count - 1))
  done
}
