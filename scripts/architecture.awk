# Reads docs/architecture.md, then Package.swift, then the sources, and prints each import that no row allows.
#
# The table is the one whose header begins with "| Target |". A row's first cell names one or more targets, its last
# what they may import: names, or "all above" (also "the above", "anything"), then perhaps "but NAME, NAME".

BEGIN {
  split("Foundation FoundationEssentials FoundationNetworking Glibc Musl Darwin Dispatch Synchronization Swift", list, " ")
  for (i in list) system_module[list[i]] = 1
  attribute = "(@[A-Za-z_]+(\\([^)]*\\))?[ \t]+)*"
  access = "((public|package|internal|fileprivate|private)[ \t]+)?"
  import_head = "^[ \t]*" attribute access "import[ \t]+"
  import_kind = "^(struct|class|enum|protocol|typealias|func|let|var|actor)[ \t]+"
}

function complain(message) {
  print FILENAME ":" FNR ": " message
  wrong++
}

FNR == 1 { in_table = 0; in_string = 0; in_comment = 0; declaring = ""; listing = 0 }

# The table.

FILENAME == "docs/architecture.md" && /^\| *Target *\|/ { in_table = 1; found_table = 1; next }
FILENAME == "docs/architecture.md" && !/^\|/ { in_table = 0 }
FILENAME == "docs/architecture.md" && in_table && !/^\|[- |:]*$/ {
  columns = split($0, cell, "|")
  read_row(cell[2], cell[columns - 1])
}

function read_row(targets, imports,    count, name, i, j, word, words, everything, except) {
  gsub(/[`* ]/, "", targets)
  gsub(/[`*,]/, " ", imports)
  count = split(targets, name, ",")
  everything = match(imports, /all above|the above|anything/)
  if (everything) sub(/all above|the above|anything/, "", imports)
  words = split(imports, word, " ")
  for (i = 1; i <= count; i++) {
    if (name[i] in row) complain("a second row for " name[i])
    except = 0
    if (everything) for (j = 1; j <= rows; j++) allowed[name[i], above[j]] = 1
    for (j = 1; j <= words; j++) {
      if (word[j] ~ /^[-–—]+$/ || word[j] == "and") continue
      if (word[j] == "but") { except = 1; continue }
      if (except) delete allowed[name[i], word[j]]
      else { allowed[name[i], word[j]] = 1; if (!(word[j] in row)) outside[name[i], FNR, word[j]] = 1 }
    }
  }
  for (i = 1; i <= count; i++) { above[++rows] = name[i]; row[name[i]] = FNR }
}

function check(target, module, verb) {
  if (module == target || module in system_module || (target, module) in allowed) return
  if (module in row) complain(target " may not " verb " " module ": its row in docs/architecture.md does not say so")
  else complain(target " may not " verb " " module ": a package must be named in its row in docs/architecture.md")
}

# Package.swift: each target's dependencies, by brackets.

FILENAME == "Package.swift" {
  text = $0
  sub(/^[ \t]*\/\/.*/, "", text)
  while (text != "") {
    if (listing) text = read_dependencies(text)
    else if (match(text, /\.(target|executableTarget|systemLibrary|testTarget|macro|plugin|binaryTarget)\(|dependencies:[ \t]*\[|name:[ \t]*"[^"]*"/)) {
      token = substr(text, RSTART, RLENGTH)
      text = substr(text, RSTART + RLENGTH)
      if (token ~ /^\./) { declaring = "?"; is_test = token ~ /testTarget/ }
      else if (token ~ /^name/) {
        if (declaring != "?") continue
        gsub(/^name:[ \t]*"|"$/, "", token)
        declaring = token
        if (!is_test && !(declaring in row)) complain(declaring " has no row in docs/architecture.md")
      } else if (declaring != "" && declaring != "?") listing = 1
    } else text = ""
  }
  next
}

# Takes one token off a list of dependencies; returns what is left of the line.
function read_dependencies(text,    token, rest) {
  if (!match(text, /package:[ \t]*"[^"]*"|"[^"]*"|\[|\]/)) return ""
  token = substr(text, RSTART, RLENGTH)
  rest = substr(text, RSTART + RLENGTH)
  if (token == "[") listing++
  else if (token == "]") listing--
  else if (token ~ /^"/) {
    gsub(/"/, "", token)
    if (!is_test && declaring in row) check(declaring, token, "depend on")
  }
  return rest
}

# The sources.

FILENAME ~ /^Sources\// {
  split(FILENAME, part, "/")
  target = part[2]
  line = $0
  if (in_comment) { if (!match(line, /\*\//)) next; line = substr(line, RSTART + 2); in_comment = 0 }
  was_in_string = in_string
  if (gsub(/"""/, "&", line) % 2) in_string = !in_string
  if (was_in_string) next
  if (!(target in row)) next
  count = split(line, statement, ";")
  for (i = 1; i <= count; i++) if (match(statement[i], import_head)) {
    module = substr(statement[i], RSTART + RLENGTH)
    sub(import_kind, "", module)
    match(module, /^[A-Za-z_0-9]+/)
    check(target, substr(module, RSTART, RLENGTH), "import")
  }
  if (match(line, /\/\*/) && substr(line, RSTART) !~ /\*\// && line !~ /^[ \t]*\/\//) in_comment = 1
}

END {
  FILENAME = "docs/architecture.md"
  FNR = 0
  if (!found_table) complain("no table that begins with '| Target |'")
  count = split(folders, folder, " ")
  for (i = 1; i <= count; i++) {
    exists[folder[i]] = 1
    if (!(folder[i] in row)) complain("Sources/" folder[i] " has no row")
  }
  for (i = 1; i <= rows; i++) {
    FNR = row[above[i]]
    if (!(above[i] in exists)) complain(above[i] " has a row, but there is no Sources/" above[i])
  }
  for (key in outside) {
    split(key, triple, SUBSEP)
    FNR = triple[2]
    if (triple[3] in row) complain(triple[1] " may import only what stands above it, and " triple[3] " stands below")
  }
  if (wrong) {
    printf "error: %d %s of docs/architecture.md broken\n", wrong, wrong == 1 ? "wall" : "walls" > "/dev/stderr"
    exit 1
  }
}
