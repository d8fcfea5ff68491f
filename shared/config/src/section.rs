//! How a section declares its keys, once for parsing, checking, defaults and documentation.

/// What the file's comment says about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// Full path, `raft.tick`.
    pub path: String,
    /// Last part of the path.
    pub name: &'static str,
    /// Meaning, one entry per line.
    pub doc: &'static [&'static str],
    /// Unit in words.
    pub unit: String,
    /// Allowed values in words; `None` if the unit says it all.
    pub range: Option<String>,
    /// Default as written in the file.
    pub default: String,
    /// Present value as written in the file.
    pub value: String,
    /// Operators can set it while the cluster runs.
    pub hot: bool,
}

/// One `[section]` of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionSpec {
    /// Path between the brackets.
    pub path: &'static str,
    /// What the section is about, one entry per line.
    pub doc: &'static [&'static str],
    /// Its keys in file order.
    pub keys: Vec<KeySpec>,
}

/// Declares a section: `/// meaning`, `key: Type = default, in range;`. A range of `..` means that the type says it all; `, hot` behind it that
/// operators can set the key while the cluster runs.
macro_rules! section {
    (@ hot) => {
        true
    };
    (
        $(#[doc = $about:literal])+
        pub struct $Name:ident = $path:literal {
            $($(#[doc = $doc:literal])+ $field:ident: $Ty:ty = $default:expr, in $range:expr $(, $hot:ident)?;)*
        }
        $(with { $($(#[doc = $sub_doc:literal])+ $sub:ident: $SubTy:ty;)+ })?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Name {
            $(
                $(#[doc = $doc])+
                #[doc = concat!("\n\nDefault `", stringify!($default), "`, range `", stringify!($range), "`.")]
                pub $field: $Ty,
            )*
            $($($(#[doc = $sub_doc])+ pub $sub: $SubTy,)+)?
        }

        impl $Name {
            pub(crate) fn read(input: &mut $crate::input::Input) -> Self {
                Self {
                    $($field: input.take(
                        concat!($path, ".", stringify!($field)),
                        &$crate::value::Lit::from($default),
                        &$crate::value::Range::from($range),
                    ),)*
                    $($($sub: <$SubTy>::read(input),)+)?
                }
            }

            pub(crate) fn describe(&self, out: &mut Vec<$crate::section::SectionSpec>) {
                use $crate::value::Setting;
                let keys = vec![$($crate::section::KeySpec {
                    path: concat!($path, ".", stringify!($field)).to_owned(),
                    name: stringify!($field),
                    doc: &[$($doc),+],
                    unit: <$Ty as Setting>::unit(),
                    range: $crate::value::Range::from($range).show::<$Ty>(),
                    default: $crate::section::default_of::<$Ty>(&$crate::value::Lit::from($default)),
                    value: self.$field.to_toml(),
                    hot: false $(|| section!(@ $hot))?,
                },)*];
                out.push($crate::section::SectionSpec { path: $path, doc: &[$($about),+], keys });
                $($(self.$sub.describe(out);)+)?
            }
        }

        impl Default for $Name {
            fn default() -> Self {
                Self::read(&mut $crate::input::Input::default())
            }
        }
    };
}

pub(crate) use section;

/// The default as written in the file.
pub(crate) fn default_of<T: crate::value::Setting>(default: &crate::value::Lit) -> String {
    T::from_lit(default).map_or_else(|why| why, |value| value.to_toml())
}
