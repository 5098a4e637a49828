# Changes of the files below the directory $R ("" for the running system), for POSIX sh.
# Nothing of the tree is executed. Symbolic links in a path are followed inside $R, never out of it.

fail() {
  printf 'bic: %s\n' "$*" >&2
  exit 1
}

# at PATH [follow]: sets AT to the real place of PATH; a link in the last part is followed on request.
at() {
  at_rest=$1
  at_done=
  at_links=0
  while [ -n "$at_rest" ]; do
    at_part=${at_rest%%/*}
    case $at_rest in
      */*) at_rest=${at_rest#*/} ;;
      *) at_rest= ;;
    esac
    case $at_part in
      '' | .) continue ;;
      ..)
        at_done=${at_done%/*}
        continue
        ;;
    esac
    if [ -L "$R$at_done/$at_part" ] && [ -n "$at_rest${2-}" ]; then
      at_links=$((at_links + 1))
      [ "$at_links" -le 40 ] || fail "too many symbolic links: $1"
      at_link=$(readlink "$R$at_done/$at_part")
      case $at_link in
        /*) at_done= ;;
      esac
      at_rest=$at_link/$at_rest
    else
      at_done=$at_done/$at_part
    fi
  done
  AT=$R${at_done:-/}
}

exists() {
  [ -e "$1" ] || [ -L "$1" ]
}

# parents PATH: makes the missing directories above PATH, and above where links in it point.
parents() {
  at "${1%/*}" follow
  [ -d "$AT" ] || make_missing "$AT"
}

# make_missing DIRECTORY: root's, 0755, whatever the directory above hands down.
make_missing() {
  [ -d "${1%/*}/" ] || make_missing "${1%/*}"
  exists "$1" && fail "there is a file in the way of the directory ${1#"$R"}"
  mkdir "$1"
  chown 0:0 "$1"
  set_mode 0755 "$1"
}

# set_mode MODE PATH: the mode as it is written; numbers alone would leave set-id bits of directories.
set_mode() {
  case $1 in
    [0-7]*) chmod ug-s "$2" ;;
  esac
  chmod "$1" "$2"
}

# field FILE NAME POSITION: sets FIELD to that field (3 or 4) of NAME's line; false when there is none.
field() {
  at "$1" follow
  [ -f "$AT" ] || return 1
  while IFS=: read -r f_name f_password f_third f_fourth f_rest || [ -n "$f_name" ]; do
    if [ "$f_name" = "$2" ]; then
      case $3 in
        3) FIELD=$f_third ;;
        4) FIELD=$f_fourth ;;
      esac
      return 0
    fi
  done <"$AT"
  return 1
}

# ids OWNER: sets IDS to uid:gid; without a group, a name's login group is taken.
ids() {
  id_user=${1%%:*}
  id_group=${1#*:}
  case $id_user in
    *[!0-9]*)
      field /etc/passwd "$id_user" 3 || fail "there is no user called $id_user in the image"
      id_uid=$FIELD
      ;;
    *) id_uid=$id_user ;;
  esac
  case $id_group in
    '')
      field /etc/passwd "$id_user" 4 || fail "there is no user called $id_user in the image"
      id_gid=$FIELD
      ;;
    *[!0-9]*)
      field /etc/group "$id_group" 3 || fail "there is no group called $id_group in the image"
      id_gid=$FIELD
      ;;
    *) id_gid=$id_group ;;
  esac
  IDS=$id_uid:$id_gid
}

make_directory() { # PATH MODE OWNER
  ids "$3"
  at "$1" follow
  [ -d "$AT" ] || make_missing "$AT"
  chown "$IDS" "$AT"
  set_mode "$2" "$AT"
}

ensure_directory() { # PATH
  parents "$1"
  at "$1" follow
  [ -d "$AT" ] || mkdir "$AT"
}

make_symlink() { # PATH TARGET
  parents "$1"
  at "$1"
  [ -d "$AT" ] && [ ! -L "$AT" ] && fail "there is a directory in the way of the symbolic link $1"
  rm -f "$AT"
  ln -s -- "$2" "$AT"
}

put_file() { # FILE PATH MODE OWNER
  ids "$4"
  parents "$2"
  at "$2"
  [ -d "$AT" ] && [ ! -L "$AT" ] && fail "there is a directory in the way of the file $2"
  rm -f "$AT"
  cat <"$1" >"$AT"
  chown "$IDS" "$AT"
  chmod "$3" "$AT"
}

put_tree() { # DIRECTORY PATH OWNER: the content of the directory goes into PATH
  ids "$3"
  put_directory "$1" "$2"
}

put_directory() { # DIRECTORY PATH
  at "$2" follow
  if [ ! -d "$AT" ]; then
    make_missing "$AT"
    chown "$IDS" "$AT"
  fi
  for pd_each in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    exists "$pd_each" || continue
    if [ -d "$pd_each" ] && [ ! -L "$pd_each" ]; then
      put_directory "$pd_each" "$2/${pd_each##*/}"
    else
      put_leaf "$pd_each" "$2/${pd_each##*/}"
    fi
  done
}

put_leaf() { # FILE PATH
  at "$2"
  [ -d "$AT" ] && [ ! -L "$AT" ] && fail "there is a directory in the way of the file $2"
  rm -f "$AT"
  cp -P -p "$1" "$AT"
  chown -h "$IDS" "$AT"
  [ -L "$1" ] && return
  [ ! -u "$1" ] || chmod u+s "$AT"
  [ ! -g "$1" ] || chmod g+s "$AT"
}

remove() { # PATH…: each path without a pattern must be there
  for r_path; do
    remove_one "$r_path" || fail "cannot remove what is not there: $r_path"
  done
}

remove_all() { # PATH…
  for r_path; do
    remove_one "$r_path" || :
  done
}

remove_one() { # PATH
  case $1 in
    *[*?[]*) remove_pattern '' "${1#/}" ;;
    *)
      at "$1"
      exists "$AT" || return 1
      rm -rf "$AT"
      ;;
  esac
}

# remove_pattern DIRECTORY PATTERN [hidden]: removes what matches below a directory of the image. As in a
# shell, a pattern matches names that begin with a dot only if it does so too, or is told to.
remove_pattern() {
  at "$1" follow
  [ -d "$AT" ] || return 0
  case $2 in
    */*) set -- "$1" "${2%%/*}" "${3-}" "${2#*/}" ;;
    *) set -- "$1" "$2" "${3-}" '' ;;
  esac
  for rp_each in "${AT%/}"/* "${AT%/}"/.[!.]* "${AT%/}"/..?*; do
    exists "$rp_each" || continue
    matches "${rp_each##*/}" "$2" "$3" || continue
    if [ -n "$4" ]; then
      remove_pattern "$1/${rp_each##*/}" "$4" "$3"
    else
      rm -rf "$rp_each"
    fi
  done
}

matches() { # NAME PATTERN [hidden]
  case ${3-}$1 in
    .*)
      case $2 in
        .*) ;;
        *) return 1 ;;
      esac
      ;;
  esac
  # The pattern is one.
  # shellcheck disable=SC2254
  case $1 in
    $2) return 0 ;;
  esac
  return 1
}

remove_matching() { # PATH PATTERN…: without a slash a name at any depth, with one a path below PATH
  rm_path=$1
  shift
  for rm_pattern; do
    case ${rm_pattern%/} in
      */*) remove_pattern "$rm_path" "${rm_pattern#/}" hidden ;;
      *)
        at "$rm_path" follow
        [ -d "$AT" ] || continue
        find "${AT%/}/" -mindepth 1 -depth -name "${rm_pattern%/}" -exec rm -rf '{}' +
        ;;
    esac
  done
}

set_file_modes() { # PATH MODE
  at "$1" follow
  exists "$AT" || fail "there is no $1 in the image"
  find "$AT" -type f -exec chmod "$2" '{}' +
}

set_permissions() { # PATH MODE|- OWNER|- RECURSIVE
  [ "$3" = - ] || ids "$3"
  at "$1" follow
  exists "$AT" || fail "there is no $1 in the image"
  if [ "$4" = yes ]; then
    [ "$3" = - ] || chown -h -R "$IDS" "$AT"
    case $2 in
      [0-7]*) chmod -R ug-s "$AT" ;;
    esac
    [ "$2" = - ] || chmod -R "$2" "$AT"
  else
    [ "$3" = - ] || chown "$IDS" "$AT"
    [ "$2" = - ] || set_mode "$2" "$AT"
  fi
}

# account_file PATH: sets AT to an account file, made if it is missing, its last line ended.
account_file() {
  parents "$1"
  at "$1" follow
  if [ ! -f "$AT" ]; then
    exists "$AT" && fail "$1 is no file in the image"
    : >"$AT"
    chown 0:0 "$AT"
    chmod 0644 "$AT"
  fi
  [ -z "$(tail -c 1 "$AT")" ] || echo >>"$AT"
}

# taken FILE NUMBER NAME: sets TAKEN to another name that has the number; false when it is free.
taken() {
  at "$1" follow
  [ -f "$AT" ] || return 1
  while IFS=: read -r t_name t_password t_number t_rest || [ -n "$t_name" ]; do
    if [ "$t_number" = "$2" ] && [ "$t_name" != "$3" ]; then
      TAKEN=$t_name
      return 0
    fi
  done <"$AT"
  return 1
}

add_group() { # NAME GID
  if field /etc/group "$1" 3; then
    [ "$FIELD" = "$2" ] || fail "the group $1 is there with the number $FIELD, not $2"
    return 0
  fi
  taken /etc/group "$2" "$1" && fail "the group number $2 belongs to $TAKEN"
  account_file /etc/group
  printf '%s:x:%s:\n' "$1" "$2" >>"$AT"
  at /etc/gshadow follow
  [ ! -f "$AT" ] || printf '%s:!::\n' "$1" >>"$AT"
}

add_user() { # NAME UID GID GROUP HOME SHELL COMMENT CREATE_HOME [GROUP…]
  add_group "$4" "$3"
  if field /etc/passwd "$1" 3 && [ "$FIELD" != "$2" ]; then
    fail "the user $1 is there with the number $FIELD, not $2"
  fi
  taken /etc/passwd "$2" "$1" && fail "the user number $2 belongs to $TAKEN"
  account_file /etc/passwd
  replace_line "$1" "$1:x:$2:$3:$7:$5:$6"
  at /etc/shadow follow
  if [ -f "$AT" ] && ! field /etc/shadow "$1" 3; then
    printf '%s:!:::::::\n' "$1" >>"$AT"
  fi
  [ "$8" = no ] || make_directory "$5" 0700 "$2:$3"
  au_name=$1
  shift 8
  for au_group; do
    add_member "$au_group" "$au_name"
  done
}

# replace_line NAME LINE: in the account file AT, the line of NAME becomes LINE; else LINE is added.
# No other file is written: the image may hold a link of whatever name.
replace_line() {
  rl_found=no
  rl_text=
  while IFS= read -r rl_line; do
    case $rl_line in
      "$1":*)
        rl_line=$2
        rl_found=yes
        ;;
    esac
    rl_text="$rl_text$rl_line
"
  done <"$AT"
  [ "$rl_found" = yes ] || rl_text="$rl_text$2
"
  printf '%s' "$rl_text" >"$AT"
}

add_member() { # GROUP USER
  field /etc/group "$1" 3 || fail "there is no group called $1 in the image"
  account_file /etc/group
  am_line=
  while IFS= read -r am_each; do
    case $am_each in
      "$1":*) am_line=$am_each ;;
    esac
  done <"$AT"
  case ,${am_line##*:}, in
    *,"$2",*) return 0 ;;
    ,,) replace_line "$1" "$am_line$2" ;;
    *) replace_line "$1" "$am_line,$2" ;;
  esac
}

set_timezone() { # ZONE
  case $1 in
    UTC) st_zone=Etc/UTC ;;
    *) st_zone=$1 ;;
  esac
  at "/usr/share/zoneinfo/$st_zone" follow
  if [ ! -f "$AT" ] && [ "$st_zone" != Etc/UTC ]; then
    fail "the image has no time zone $1: install its time zone database (tzdata) first"
  fi
  make_symlink /etc/localtime "/usr/share/zoneinfo/$st_zone"
  at /etc/debian_version follow
  st_debian=$AT
  at /etc/timezone follow
  if [ -f "$AT" ] || [ -f "$st_debian" ]; then
    printf '%s\n' "$st_zone" >"$AT"
    chmod 0644 "$AT"
  fi
}

# copy_in ROOT SOURCE PATH OWNER|-: what SOURCE is in the tree ROOT becomes PATH; a directory's content goes into it.
copy_in() {
  [ "$4" = - ] || ids "$4"
  ci_root=$R
  R=$1
  at "$2" follow
  ci_source=$AT
  R=$ci_root
  exists "$ci_source" || fail "there is no $2 to copy"
  parents "$3"
  if [ -d "$ci_source" ]; then
    merge_tree "$ci_source" "$3" "$4"
  else
    at "$3"
    [ -d "$AT" ] && [ ! -L "$AT" ] && fail "there is a directory in the way of the file $3"
    rm -f "$AT"
    cp -a "$ci_source" "$AT"
    [ "$4" = - ] || give "$AT"
  fi
}

# merge_tree DIRECTORY PATH OWNER|-: directories that are there stay as they are; hard links stay hard links.
merge_tree() {
  check_merge "$1" "$2"
  at "$2" follow
  if [ ! -d "$AT" ]; then
    make_missing "$AT"
    [ "$3" = - ] || chown "$IDS" "$AT"
  fi
  mt_owner=
  [ "$3" = - ] || mt_owner="--owner=:${IDS%:*} --group=:${IDS#*:}"
  # Both ends of the pipe may fail.
  # shellcheck disable=SC2086
  mt_failed=$({
    { tar --create $mt_owner --numeric-owner --xattrs --directory "$1" . || echo read >&3; } |
      tar --extract --numeric-owner --same-owner --same-permissions --xattrs --xattrs-include='*' \
        --no-overwrite-dir --directory "$AT" || echo write >&3
  } 3>&1 >/dev/null)
  [ -z "$mt_failed" ] || fail "cannot copy into $2"
}

# give FILE: to the owner in IDS, with the special bits that changing an owner takes away.
give() {
  gi_mode=$(stat -c %a "$1")
  chown -h "$IDS" "$1"
  [ -L "$1" ] || chmod "$gi_mode" "$1"
}

# check_merge DIRECTORY PATH: a directory must not replace a link of the image, nor be put where it points.
check_merge() {
  set -- "${1%/}" "${2%/}"
  find "$1" -mindepth 1 -type d | while IFS= read -r cm_each; do
    at "$2/${cm_each#"$1"/}"
    [ ! -L "$AT" ] || fail "$2/${cm_each#"$1"/} is a symbolic link in the image: copy to where it points"
  done
}

# remember FILE PATH…: notes in FILE which of the paths are missing, before mounts make stubs of them.
remember() {
  re_file=$1
  shift
  : >"$re_file"
  for re_path; do
    at "$re_path"
    exists "$AT" || printf '%s\n' "$re_path" >>"$re_file"
  done
}

# tidy FILE: removes the noted paths where they are empty stubs, the deepest first.
tidy() {
  while IFS= read -r ti_path; do
    at "$ti_path"
    if [ -L "$AT" ]; then
      :
    elif [ -d "$AT" ]; then
      rmdir "$AT" 2>/dev/null || :
    elif [ -f "$AT" ] && [ ! -s "$AT" ]; then
      rm -f "$AT"
    fi
  done <"$1"
}
