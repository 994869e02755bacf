archives = {
  "fine"       = 1
  "once"       = 1
  "twice.b"    = 1
  "gone \"c\"" = 1
}
