//! What Terraform does and what we do, compared: moves, lists, pushes, graphs.
//!
//! Terraform is the judge. Where we differ on purpose the difference is in a list, and each entry of it is asserted; a
//! difference that goes away is a failure too.

mod acme;
