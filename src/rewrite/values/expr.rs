//! Values of expressions.

use std::collections::BTreeMap;

use hcl_edit::expr::{BinaryOperator, Expression, ForExpr, ObjectKey, TraversalOperator, UnaryOperator};
use hcl_edit::template::{Element, StringTemplate};

use super::{Scope, Values, child, functions};
use crate::address::InstanceKey;
use crate::config::{Item, Mode};
use crate::contract::value::Value;

impl Values<'_> {
    /// Returns the value of an expression.
    pub fn expr(&self, scope: &Scope, expr: &Expression) -> Option<Value> {
        match expr {
            Expression::Null(_) => Some(Value::Null),
            Expression::Bool(value) => Some(Value::Bool(*value.value())),
            Expression::Number(number) => number
                .value()
                .as_u64()
                .map(|number| Value::Number(number.to_string())),
            Expression::String(text) => Some(Value::String(text.as_str().to_owned())),
            Expression::Array(items) => {
                let items = items.iter().map(|item| self.expr(scope, item));
                items.collect::<Option<Vec<Value>>>().map(Value::List)
            }
            Expression::Object(object) => {
                let mut members = BTreeMap::new();
                for (key, value) in object {
                    let key = match key {
                        ObjectKey::Ident(name) => name.as_str().to_owned(),
                        ObjectKey::Expression(key) => self.expr(scope, key)?.as_text()?,
                    };
                    members.insert(key, self.expr(scope, value.expr())?);
                }
                Some(Value::Object(members))
            }
            Expression::StringTemplate(template) => self.template(scope, template),
            Expression::Parenthesis(inner) => self.expr(scope, inner.inner()),
            Expression::Variable(name) => scope.names.get(name.as_str()).cloned(),
            Expression::Conditional(conditional) => match self.expr(scope, &conditional.cond_expr)? {
                Value::Bool(true) => self.expr(scope, &conditional.true_expr),
                Value::Bool(false) => self.expr(scope, &conditional.false_expr),
                _ => None,
            },
            Expression::FuncCall(call) => {
                if !call.name.namespace.is_empty() {
                    return None;
                }
                let arguments: Vec<&Expression> = call.args.iter().collect();
                let name = call.name.name.as_str();
                if name == "try" {
                    return self.expr(scope, arguments.first()?);
                }
                let mut values = Vec::new();
                for argument in arguments {
                    values.push(self.expr(scope, argument)?);
                }
                if call.args.expand_final() {
                    let Some(Value::List(rest)) = values.pop() else {
                        return None;
                    };
                    values.extend(rest);
                }
                functions::call(name, values)
            }
            Expression::Traversal(traversal) => self.traversal(scope, traversal),
            Expression::UnaryOp(operation) => {
                match (operation.operator.value(), self.expr(scope, &operation.expr)?) {
                    (UnaryOperator::Not, Value::Bool(value)) => Some(Value::Bool(!value)),
                    _ => None,
                }
            }
            Expression::BinaryOp(operation) => {
                let left = self.expr(scope, &operation.lhs_expr)?;
                let right = self.expr(scope, &operation.rhs_expr)?;
                match operation.operator.value() {
                    BinaryOperator::Eq => same(&left, &right).map(Value::Bool),
                    BinaryOperator::NotEq => same(&left, &right).map(|same| Value::Bool(!same)),
                    BinaryOperator::And => both(&left, &right).map(|(a, b)| Value::Bool(a && b)),
                    BinaryOperator::Or => both(&left, &right).map(|(a, b)| Value::Bool(a || b)),
                    _ => None,
                }
            }
            Expression::ForExpr(for_expr) => self.for_expr(scope, for_expr),
            Expression::HeredocTemplate(_) => None,
        }
    }

    fn template(&self, scope: &Scope, template: &StringTemplate) -> Option<Value> {
        let elements: Vec<&Element> = template.iter().collect();
        if let [Element::Interpolation(only)] = elements[..] {
            return self.expr(scope, &only.expr);
        }
        let mut text = String::new();
        for element in elements {
            match element {
                Element::Literal(literal) => text.push_str(literal.as_str()),
                Element::Interpolation(inner) => text.push_str(&self.expr(scope, &inner.expr)?.as_text()?),
                Element::Directive(_) => return None,
            }
        }
        Some(Value::String(text))
    }

    fn for_expr(&self, scope: &Scope, for_expr: &ForExpr) -> Option<Value> {
        let collection = self.expr(scope, &for_expr.intro.collection_expr)?;
        let pairs: Vec<(Value, Value)> = match collection {
            Value::List(items) => items
                .into_iter()
                .enumerate()
                .map(|(at, item)| (Value::Number(at.to_string()), item))
                .collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(key, value)| (Value::String(key), value))
                .collect(),
            _ => return None,
        };
        let mut list = Vec::new();
        let mut object: BTreeMap<String, Value> = BTreeMap::new();
        for (key, value) in pairs {
            let mut inner = scope.clone();
            if let Some(name) = &for_expr.intro.key_var {
                inner.names.insert(name.as_str().to_owned(), key);
            }
            inner
                .names
                .insert(for_expr.intro.value_var.as_str().to_owned(), value);
            if let Some(condition) = &for_expr.cond
                && self.expr(&inner, &condition.expr)? != Value::Bool(true)
            {
                continue;
            }
            let value = self.expr(&inner, &for_expr.value_expr)?;
            let Some(key) = &for_expr.key_expr else {
                list.push(value);
                continue;
            };
            let key = self.expr(&inner, key)?.as_text()?;
            if for_expr.grouping {
                let Value::List(group) = object.entry(key).or_insert_with(|| Value::List(Vec::new())) else {
                    return None;
                };
                group.push(value);
            } else {
                object.insert(key, value);
            }
        }
        Some(match for_expr.key_expr {
            Some(_) => Value::Object(object),
            None => Value::List(list),
        })
    }

    fn traversal(&self, scope: &Scope, traversal: &hcl_edit::expr::Traversal) -> Option<Value> {
        let operators: Vec<&TraversalOperator> = traversal
            .operators
            .iter()
            .map(hcl_edit::Decorated::value)
            .collect();
        let (value, rest) = match &traversal.expr {
            Expression::Variable(name) if !scope.names.contains_key(name.as_str()) => {
                self.rooted(scope, name.as_str(), &operators)?
            }
            other => (self.expr(scope, other)?, &operators[..]),
        };
        self.steps(scope, value, rest)
    }

    fn rooted<'o>(
        &self,
        scope: &Scope,
        first: &str,
        operators: &'o [&'o TraversalOperator],
    ) -> Option<(Value, &'o [&'o TraversalOperator])> {
        let attr = |at: usize| match operators.get(at)? {
            TraversalOperator::GetAttr(name) => Some(name.as_str().to_owned()),
            _ => None,
        };
        let resource = |mode, type_name: String, name: String| Item::Resource {
            mode,
            type_name,
            name,
        };
        let (item, used) = match first {
            "var" => (Item::Variable(attr(0)?), 1),
            "local" => (Item::Local(attr(0)?), 1),
            "module" => {
                let name = attr(0)?;
                return self.module_output(scope, &name, operators);
            }
            "data" => (resource(Mode::Data, attr(0)?, attr(1)?), 2),
            "resource" => (resource(Mode::Managed, attr(0)?, attr(1)?), 2),
            "path" | "terraform" | "each" | "count" | "self" | "ephemeral" => return None,
            _ => (resource(Mode::Managed, first.to_owned(), attr(0)?), 1),
        };
        Some((self.item(&scope.module, &item)?, &operators[used..]))
    }

    /// One output is read alone: the others need not be known.
    fn module_output<'o>(
        &self,
        scope: &Scope,
        name: &str,
        operators: &'o [&'o TraversalOperator],
    ) -> Option<(Value, &'o [&'o TraversalOperator])> {
        if let Some(TraversalOperator::GetAttr(output)) = operators.get(1) {
            let inner = child(&scope.module, name, None);
            let value = self.item(&inner, &Item::Output(output.as_str().to_owned()))?;
            return Some((value, &operators[2..]));
        }
        if let (Some(TraversalOperator::Index(index)), Some(TraversalOperator::GetAttr(output))) =
            (operators.get(1), operators.get(2))
        {
            let key = match self.expr(scope, index)? {
                Value::String(key) => InstanceKey::Str(key),
                Value::Number(number) => InstanceKey::Int(number.parse().ok()?),
                _ => return None,
            };
            let inner = child(&scope.module, name, Some(key));
            let value = self.item(&inner, &Item::Output(output.as_str().to_owned()))?;
            return Some((value, &operators[3..]));
        }
        let whole = self.item(&scope.module, &Item::Module(name.to_owned()))?;
        Some((whole, &operators[1..]))
    }

    fn steps(&self, scope: &Scope, mut value: Value, operators: &[&TraversalOperator]) -> Option<Value> {
        for (at, operator) in operators.iter().enumerate() {
            value = match operator {
                TraversalOperator::GetAttr(name) => value.get(name.as_str())?.clone(),
                TraversalOperator::LegacyIndex(number) => value.get(&number.value().to_string())?.clone(),
                TraversalOperator::Index(index) => value.get(&self.expr(scope, index)?.as_text()?)?.clone(),
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                    let items = match value {
                        Value::List(items) => items,
                        Value::Null => Vec::new(),
                        single => vec![single],
                    };
                    // A full splat takes every step behind it; one of attributes ends before an index.
                    let rest = &operators[at + 1..];
                    let taken = match operator {
                        TraversalOperator::AttrSplat(_) => rest
                            .iter()
                            .take_while(|step| matches!(step, TraversalOperator::GetAttr(_)))
                            .count(),
                        _ => rest.len(),
                    };
                    let items = items
                        .into_iter()
                        .map(|item| self.steps(scope, item, &rest[..taken]));
                    let list = Value::List(items.collect::<Option<Vec<Value>>>()?);
                    return self.steps(scope, list, &rest[taken..]);
                }
            };
        }
        Some(value)
    }
}

fn same(left: &Value, right: &Value) -> Option<bool> {
    use Value::{Bool, Null, Number, String};
    match (left, right) {
        (Null | Bool(_) | Number(_) | String(_), Null | Bool(_) | Number(_) | String(_)) => {
            Some(left == right)
        }
        (Null, _) | (_, Null) => Some(false),
        _ => None,
    }
}

fn both(left: &Value, right: &Value) -> Option<(bool, bool)> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some((*left, *right)),
        _ => None,
    }
}
