archives = {
  "fine"    = 1
  "once"    = 2
  "twice.b" = 3
}
