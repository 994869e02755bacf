archives = {
  "fine"       = 1
  "once"       = 2
  "twice.b"    = 2
  "gone \"c\"" = 2
}
