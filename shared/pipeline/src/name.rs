//! The default name of a component: the name of its type.

/// Last path segment of a type's name, without generic arguments: `feed::filters::SelfPost` becomes `SelfPost`.
pub(crate) fn short_type_name<T: ?Sized>() -> &'static str {
    let full = std::any::type_name::<T>();
    let plain = full.split('<').next().unwrap_or(full);
    plain.rsplit("::").next().unwrap_or(plain)
}

#[cfg(test)]
#[path = "name_test.rs"]
mod tests;
