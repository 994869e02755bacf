//! The code follows the state, as whole commands: what is written, how it stays right, and that real Terraform finds
//! nothing to do in it.

mod desk;
mod directory;
mod ephemeral;
mod flavours;
mod keys;
mod refusals;
mod saved;
mod signature;
mod workflow;
