//! What can be asked for, and what Terraform says to it.

use super::reasons::Reason;

/// What can be asked for, and what Terraform says to it.
pub(super) const RULES: &[(&str, &str, Result<(), Reason>)] = &[
    // Everything an instance can become.
    ("terraform_data.one", "terraform_data.new", Ok(())),
    ("terraform_data.one", "terraform_data.new[0]", Ok(())),
    ("terraform_data.one", "terraform_data.new[\"a.b\"]", Ok(())),
    ("terraform_data.list[1]", "terraform_data.new", Ok(())),
    ("terraform_data.list[0]", "terraform_data.new[\"zero\"]", Ok(())),
    ("terraform_data.map[\"x.y\"]", "terraform_data.new[7]", Ok(())),
    (
        "terraform_data.map[\"q\\\"\\\\\"]",
        "terraform_data.new[\"é<&>\"]",
        Ok(()),
    ),
    (
        "terraform_data.map[\"$${v}\"]",
        "terraform_data.new[\"%%{w}\"]",
        Ok(()),
    ),
    // Into a resource that is there.
    ("terraform_data.one", "terraform_data.list[3]", Ok(())),
    ("terraform_data.list[1]", "terraform_data.list[3]", Ok(())),
    ("terraform_data.list[1]", "terraform_data.list[\"one\"]", Ok(())),
    ("terraform_data.list[1]", "terraform_data.map[\"one\"]", Ok(())),
    ("terraform_data.list[1]", "terraform_data.list", Ok(())),
    ("terraform_data.list[1]", "module.m.terraform_data.one[0]", Ok(())),
    ("terraform_data.one", "terraform_data.list", Ok(())),
    (
        "terraform_data.one",
        "terraform_data.list[1]",
        Err(Reason::InstanceExists),
    ),
    (
        "terraform_data.list[1]",
        "terraform_data.map[\"k\"]",
        Err(Reason::InstanceExists),
    ),
    (
        "terraform_data.list[1]",
        "terraform_data.one",
        Err(Reason::InstanceExists),
    ),
    // Whole resources.
    ("terraform_data.list", "terraform_data.new", Ok(())),
    (
        "terraform_data.map",
        "module.new[\"a.b\"].terraform_data.map",
        Ok(()),
    ),
    (
        "terraform_data.list",
        "terraform_data.new[0]",
        Err(Reason::WholeResource),
    ),
    (
        "terraform_data.list",
        "terraform_data.map",
        Err(Reason::ResourceExists),
    ),
    (
        "terraform_data.one",
        "terraform_data.other",
        Err(Reason::InstanceExists),
    ),
    (
        "terraform_data.one",
        "terraform_data.one",
        Err(Reason::InstanceExists),
    ),
    ("terraform_data.mixed", "terraform_data.new[0]", Ok(())),
    ("terraform_data.mixed", "terraform_data.new", Ok(())),
    // Modules.
    ("module.m", "module.new", Ok(())),
    ("module.m", "module.new[\"k\"].module.newer[3]", Ok(())),
    ("module.fe[\"x\"]", "module.new", Ok(())),
    ("module.fe[\"y.z\"]", "module.new[0]", Ok(())),
    ("module.fe[\"x\"]", "module.fe[\"z\"]", Ok(())),
    ("module.fe[\"x\"]", "module.fe", Ok(())),
    ("module.m.module.n[\"k\"]", "module.n", Ok(())),
    ("module.m", "module.fe[\"x\"]", Err(Reason::ModuleExists)),
    ("module.m", "module.fe", Ok(())),
    // Modules merge where no module instance has resources from both sides.
    ("module.m", "module.outer", Err(Reason::ModuleExists)),
    ("module.shell", "module.m", Ok(())),
    ("module.shell", "module.fe[\"y.z\"]", Ok(())),
    ("module.outer", "module.shell", Ok(())),
    ("module.outer", "module.m", Err(Reason::ModuleExists)),
    ("module.fe", "module.new", Err(Reason::NotFound)),
    ("module.fe[\"nope\"]", "module.new", Err(Reason::NotFound)),
    ("module.m", "module.m", Err(Reason::ModuleExists)),
    // Into modules and out of them.
    ("module.m.terraform_data.one", "terraform_data.new", Ok(())),
    (
        "module.fe[\"x\"].terraform_data.one",
        "terraform_data.new[\"x\"]",
        Ok(()),
    ),
    (
        "terraform_data.one",
        "module.new.module.newer[\"a\"].terraform_data.one",
        Ok(()),
    ),
    (
        "module.m.terraform_data.one",
        "terraform_data.one",
        Err(Reason::InstanceExists),
    ),
    // What does not fit together.
    ("terraform_data.one", "null_resource.new", Err(Reason::Type)),
    (
        "data.terraform_remote_state.one",
        "data.terraform_remote_state.new",
        Ok(()),
    ),
    (
        "data.terraform_remote_state.one",
        "terraform_remote_state.new",
        Err(Reason::Mode),
    ),
    ("terraform_data.one", "data.terraform_data.new", Err(Reason::Mode)),
    ("module.m", "terraform_data.new", Err(Reason::Kind)),
    ("terraform_data.list[0]", "module.new", Err(Reason::Kind)),
    ("terraform_data.nope", "terraform_data.new", Err(Reason::NotFound)),
    (
        "terraform_data.list[7]",
        "terraform_data.new",
        Err(Reason::NotFound),
    ),
    (
        "terraform_data.list[\"0\"]",
        "terraform_data.new",
        Err(Reason::NotFound),
    ),
    (
        "terraform_data.map[0]",
        "terraform_data.new",
        Err(Reason::NotFound),
    ),
    (
        "data.terraform_data.one",
        "data.terraform_data.new",
        Err(Reason::NotFound),
    ),
];
