//! placeholder
#[derive(Debug, Clone)]
pub struct Matcher;
impl Matcher {
    pub fn from_json(_: &[u8]) -> Result<Self, String> {
        Err(String::new())
    }
    pub fn start(&self) -> Box<dyn super::LineParser> {
        unreachable!()
    }
}
