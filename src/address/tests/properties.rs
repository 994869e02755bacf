//! Properties over arbitrary texts and addresses, and the strategies that make them.

use std::str::FromStr;

use proptest::prelude::*;

use crate::address::*;

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z_é日][a-zA-Z0-9_é-]{0,6}"
}

/// A type that needs no `resource.` before it.
fn type_name() -> impl Strategy<Value = String> {
    name().prop_map(|name| format!("t{name}"))
}

/// Any key that a configuration can give, that is, in NFC.
pub(in crate::address) fn any_key() -> impl Strategy<Value = InstanceKey> {
    prop_oneof![
        (0..=i64::MAX.unsigned_abs()).prop_map(InstanceKey::Int),
        any::<String>().prop_map(|key| InstanceKey::Str(crate::address::reader::normalise(key))),
        "[$%{}\"\\\\a*\n]{0,6}".prop_map(InstanceKey::Str),
    ]
}

pub(in crate::address) fn any_instance() -> impl Strategy<Value = ResourceInstanceAddr> {
    let step = (name(), prop::option::of(any_key())).prop_map(|(name, key)| ModuleStep { name, key });
    let mode = prop_oneof![Just(ResourceMode::Data), Just(ResourceMode::Managed)];
    let module = prop::collection::vec(step, 0..4).prop_map(ModuleInstanceAddr);
    (module, mode, type_name(), name(), prop::option::of(any_key())).prop_map(
        |(module, mode, type_name, name, key)| ResourceInstanceAddr {
            resource: ResourceAddr {
                module,
                mode,
                type_name,
                name,
            },
            key,
        },
    )
}

/// Texts made of what addresses are made of, so that many of them nearly are some.
pub(in crate::address) fn address_like() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "module", ".", "[", "]", "\"", "a", "é", "0", "1e9", "*", "**", "data", "\\", "\\u00", "$", "{", "%",
        " ", "\n", "/*", "*/", "#", "provider", "/", "\u{301}", "-", "😀",
    ]);
    prop::collection::vec(token, 0..14).prop_map(|tokens| tokens.concat())
}

/// Reads `text` as everything; each error must point into the text.
fn survives(text: &str) {
    fn check<T: FromStr<Err = AddressError>>(text: &str) {
        if let Err(error) = text.parse::<T>() {
            assert!(text.is_char_boundary(error.offset), "{error}");
        }
    }
    check::<MoveableAddr>(text);
    check::<ConfigResourceAddr>(text);
    check::<ModuleAddr>(text);
    check::<InstanceKey>(text);
    check::<ProviderAddr>(text);
    check::<ProviderConfigAddr>(text);
}

proptest! {
    #[test]
    fn never_panics(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn never_panics_on_near_misses(text in address_like()) {
        survives(&text);
    }

    #[test]
    fn instances_round_trip(address in any_instance()) {
        let text = address.to_string();
        prop_assert_eq!(text.parse(), Ok(address.clone()));
        let resource = address.resource;
        prop_assert_eq!(resource.to_string().parse(), Ok(resource.clone()));
        prop_assert_eq!(resource.module.to_string().parse(), Ok(resource.module.clone()));
        prop_assert_eq!(resource.config().to_string().parse(), Ok(resource.config()));
        prop_assert_eq!(resource.to_string().parse(), Ok(resource.config()));
    }

    #[test]
    fn reading_is_a_fixed_point(text in address_like()) {
        if let Ok(address) = text.parse::<MoveableAddr>() {
            let printed = address.to_string();
            prop_assert_eq!(printed.parse::<MoveableAddr>().map(|again| again.to_string()), Ok(printed));
        }
    }

    #[test]
    fn moving_there_and_back_changes_nothing(
        address in any_instance(), from in any_instance(), to in any_instance()
    ) {
        let to_module = MoveableAddr::Module(to.resource.module.clone());
        let from_module = MoveableAddr::Module(from.resource.module.clone());
        let mut inside = address;
        inside.resource.module = from.resource.module.join(&inside.resource.module);
        prop_assert!(from_module.contains(&inside));
        let moved = inside.rebase(&from_module, &to_module).expect("it is inside");
        prop_assert_eq!(moved.rebase(&to_module, &from_module), Some(inside));
    }
}
