//! What a producer will tell, read from its own plan.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::plan::contract::ContractStore;

/// The contract of one producer as its plan has it. May hold secrets: its `Debug` shows nothing.
#[derive(Clone, Default)]
pub struct Told {
    /// The document in a parameter or object; none where it is not known before an apply.
    pub document: Option<String>,
    /// The root outputs that are known, as members of a state.
    pub outputs: BTreeMap<String, Value>,
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told(..)")
    }
}

#[derive(Deserialize)]
struct RawPlan {
    #[serde(default)]
    resource_changes: Vec<RawChange>,
    #[serde(default)]
    planned_values: RawValues,
}

#[derive(Deserialize)]
struct RawChange {
    address: String,
    change: RawDetails,
}

#[derive(Deserialize)]
struct RawDetails {
    #[serde(default)]
    after: Value,
}

#[derive(Default, Deserialize)]
struct RawValues {
    #[serde(default)]
    outputs: BTreeMap<String, Value>,
}

impl Told {
    /// Reads what the call `contract` writes into its store, or the root outputs. Plan JSON that says nothing of them
    /// gives nothing.
    pub fn read(plan_json: &[u8], contract: &str, store: ContractStore) -> Self {
        let Ok(plan) = serde_json::from_slice::<RawPlan>(plan_json) else {
            return Self::default();
        };
        let (types, attribute): (&[&str], &str) = match store {
            ContractStore::Ssm => (&["aws_ssm_parameter"], "value"),
            ContractStore::S3 => (&["aws_s3_object", "aws_s3_bucket_object"], "content"),
            ContractStore::RemoteState => {
                let outputs = plan.planned_values.outputs.into_iter();
                return Self {
                    document: None,
                    outputs: outputs
                        .filter(|(_, output)| output.get("value").is_some())
                        .collect(),
                };
            }
            ContractStore::Variables => return Self::default(),
        };
        let addresses: Vec<String> = types
            .iter()
            .map(|kind| format!("module.{contract}.{kind}.this[0]"))
            .collect();
        let document = plan
            .resource_changes
            .iter()
            .find(|change| addresses.contains(&change.address));
        Self {
            document: document
                .and_then(|change| change.change.after.get(attribute)?.as_str())
                .map(str::to_owned),
            outputs: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_outputs() {
        let plan = br#"{"resource_changes":[
            {"address":"module.contract.aws_ssm_parameter.this[0]","change":{"after":{"value":"{}"}}},
            {"address":"module.contract.aws_s3_bucket_object.this[0]","change":{"after":{}}}],
            "planned_values":{"outputs":{"contract":{"sensitive":false,"type":"string","value":"x"},"later":{"sensitive":false}}}}"#;
        let told = |store| Told::read(plan, "contract", store);
        assert_eq!(told(ContractStore::Ssm).document.as_deref(), Some("{}"));
        assert_eq!(told(ContractStore::S3).document, None);
        let outputs = told(ContractStore::RemoteState).outputs;
        assert_eq!(outputs.keys().collect::<Vec<_>>(), ["contract"]);
        assert_eq!(format!("{:?}", told(ContractStore::Ssm)), "Told(..)");
        assert!(
            Told::read(b"{", "contract", ContractStore::Ssm)
                .document
                .is_none()
        );
    }
}
