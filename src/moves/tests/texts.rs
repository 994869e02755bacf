//! Whole texts: layouts, providers, outputs, check results, unknown fields.
