//! Reads `contract` blocks.

use hcl_edit::structure::{Block, Body};

use super::body::{Reader, Words, ident_span};
use super::values::Scope;
use crate::plan::contract::{ContractBlock, ContractStore, SsmTier};
use crate::plan::file::PlanFile;

impl Reader {
    /// Reads the `contract` block of a body, if there is one.
    pub fn contract_in(&mut self, body: &Body) -> Option<ContractBlock> {
        let block: &Block = self.single(body, "contract")?;
        self.no_label(block);
        let words = Words {
            what: "a `contract` block",
            attributes: &["store", "path", "bucket", "tier"],
            blocks: &[],
        };
        self.check_words(&block.body, &words);
        let stores = ContractStore::ALL.map(ContractStore::as_str);
        let tiers = SsmTier::ALL.map(SsmTier::as_str);
        Some(ContractBlock {
            span: ident_span(block),
            store: self.choice(&block.body, "store", &stores),
            path: self.template(&block.body, "path", Scope::Stack),
            bucket: self.template(&block.body, "bucket", Scope::Stack),
            tier: self.choice(&block.body, "tier", &tiers),
        })
    }

    /// An argument that the chosen store has no use for is a mistake.
    pub fn check_contracts(&mut self, plan: &PlanFile) {
        let default_store = plan
            .defaults
            .contract
            .as_ref()
            .and_then(|block| block.store.as_ref());
        let blocks = plan
            .stacks
            .iter()
            .filter_map(|stack| stack.contract.as_ref())
            .chain(plan.defaults.contract.as_ref());
        for block in blocks {
            let store = block
                .store
                .as_ref()
                .or(default_store)
                .map_or(ContractStore::Ssm, |store| store.value);
            let misplaced = [
                (
                    "bucket",
                    block.bucket.as_ref().map(|value| &value.span),
                    store == ContractStore::S3,
                ),
                (
                    "tier",
                    block.tier.as_ref().map(|value| &value.span),
                    store == ContractStore::Ssm,
                ),
                (
                    "path",
                    block.path.as_ref().map(|value| &value.span),
                    matches!(store, ContractStore::Ssm | ContractStore::S3),
                ),
            ];
            for (word, span, fits) in misplaced {
                if let (Some(span), false) = (span, fits) {
                    self.error(
                        span.clone(),
                        format!("`{word}` means nothing to the store `{}`", store.as_str()),
                    )
                    .hint("remove it, or choose another `store`");
                }
            }
        }
    }
}
