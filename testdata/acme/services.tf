# ------------------------------------------------------------------------------
# The services that are built alike. Catalog and search are older than the module
# and have files of their own; what is special about one service is in its file.
# ------------------------------------------------------------------------------

locals {
  default_settings = {
    visibility_timeout = 60
    alarm_threshold    = 100
  }

  services = {
    orders = {
      table     = { hash_key = "order_id", range_key = "version" }
      ports     = [8080, 9090]
      schedules = { "expire-carts" = "rate(15 minutes)" }
    }
    payments = {
      table     = { hash_key = "payment_id", range_key = null }
      ports     = [8443]
      schedules = { "reconcile.daily" = "cron(30 3 * * ? *)", "retry" = "rate(5 minutes)" }
    }
    shipping = {
      table     = { hash_key = "parcel_id", range_key = null }
      ports     = [8080]
      schedules = {}
    }
    notifications = {
      table     = null # stateless, but see the snippets in notifications.tf
      ports     = []
      schedules = {}
    }
    returns = {
      table     = { hash_key = "order_id", range_key = "item" }
      ports     = [8080]
      schedules = {}
    }
  }

  # Orders prices a cart, returns looks at what was sold. Nobody else may read the catalog.
  catalog_readers = {
    orders  = { products = aws_dynamodb_table.products.arn, prices = aws_dynamodb_table.prices.arn }
    returns = { products = aws_dynamodb_table.products.arn }
  }
}

module "service" {
  source   = "./modules/service"
  for_each = local.services

  namespace = local.name
  name      = each.key
  network   = local.network
  platform  = local.platform
  settings  = merge(local.default_settings, try(var.service_overrides[each.key], {}))

  table        = each.value.table
  ports        = each.value.ports
  schedules    = each.value.schedules
  listens_to   = ["arn:aws:sns:${local.arn_suffix}:${local.name}-*"]
  reads_tables = lookup(local.catalog_readers, each.key, {})

  tags = merge(local.tags, { Service = each.key })
}
