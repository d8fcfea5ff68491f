//! Settings with a fixed list of names.

macro_rules! choice {
    ($(#[$meta:meta])* pub enum $Name:ident { $($(#[$vmeta:meta])* $Variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $Name { $($(#[$vmeta])* $Variant,)+ }

        impl $crate::value::Setting for $Name {
            fn unit() -> String {
                [$(concat!("\"", $text, "\"")),+].join(" or ")
            }

            fn from_lit(lit: &$crate::value::Lit) -> Result<Self, String> {
                match lit.as_text() {
                    $(Some($text) => Ok(Self::$Variant),)+
                    _ => Err(format!("{lit} is not {}", Self::unit())),
                }
            }

            fn to_toml(&self) -> String {
                match self { $(Self::$Variant => format!("\"{}\"", $text),)+ }
            }
        }
    };
}

pub(crate) use choice;
