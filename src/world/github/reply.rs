//! Reads a reply: the headers that policy needs, and the body under a cap.

use std::time::Duration;

use http::HeaderMap;
use http_body_util::BodyExt;

use crate::world::forge::{ForgeError, Reply};
use crate::world::github::address::Address;

/// A page of a hundred comments of the largest size, 65,536 characters of up to four bytes, is 26 MB.
const LARGEST: usize = 32 << 20;

/// How much of a body an error keeps.
const START: usize = 512;

/// Reads all of it.
pub async fn read<B>(response: http::Response<B>, url: &str, address: &Address) -> Result<Reply, ForgeError>
where
    B: BodyExt<Data: AsRef<[u8]>, Error = octocrab::Error> + Unpin,
{
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    let bytes = collect(body, url, status, LARGEST).await?;
    let next = match next_page(&parts.headers) {
        None => None,
        Some(to) => Some(address.path_of(&to).ok_or(ForgeError::Away { url: url.to_owned(), to })?),
    };
    Ok(Reply {
        status,
        retry_after: number(&parts.headers, "retry-after").map(Duration::from_secs),
        remaining: number(&parts.headers, "x-ratelimit-remaining"),
        reset: number(&parts.headers, "x-ratelimit-reset"),
        date: date(&parts.headers),
        next,
        scopes: parts.headers.get("x-oauth-scopes").and_then(|value| value.to_str().ok()).map(str::to_owned),
        body: bytes,
    })
}

/// Reads a file; whatever is not answered with 200 is none.
pub async fn file<B>(response: http::Response<B>, url: &str, most: usize) -> Result<Vec<u8>, ForgeError>
where
    B: BodyExt<Data: AsRef<[u8]>, Error = octocrab::Error> + Unpin,
{
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    let bytes = collect(body, url, status, most).await?;
    if status == 200 {
        Ok(bytes)
    } else {
        Err(ForgeError::NotGiven { url: url.to_owned(), status, start: start(&bytes) })
    }
}

async fn collect<B>(mut body: B, url: &str, status: u16, limit: usize) -> Result<Vec<u8>, ForgeError>
where
    B: BodyExt<Data: AsRef<[u8]>, Error = octocrab::Error> + Unpin,
{
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|source| ForgeError::Cut {
            url: url.to_owned(),
            status,
            start: start(&bytes),
            source: Box::new(source),
        })?;
        let piece = frame.data_ref().map_or(&[][..], AsRef::as_ref);
        if bytes.len() + piece.len() > limit {
            return Err(ForgeError::TooLarge { url: url.to_owned(), status, limit });
        }
        bytes.extend_from_slice(piece);
    }
    Ok(bytes)
}

fn start(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(START)]).into_owned()
}

fn number<N: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<N> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn date(headers: &HeaderMap) -> Option<i64> {
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(headers.get(http::header::DATE)?).ok()?;
    Some(time.as_second())
}

/// The URL of `rel="next"` in a Link header (RFC 8288).
fn next_page(headers: &HeaderMap) -> Option<String> {
    let mut rest = headers.get(http::header::LINK)?.to_str().ok()?;
    while let Some((_, after)) = rest.split_once('<') {
        let (url, after) = after.split_once('>')?;
        let (parameters, following) = after.split_once('<').map_or((after, ""), |(now, _)| (now, &after[now.len()..]));
        let next =
            parameters.split([';', ',']).any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
        if next {
            return Some(url.to_owned());
        }
        rest = following;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(link: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::LINK, link.parse().unwrap());
        next_page(&headers)
    }

    #[test]
    fn the_next_page_is_found_in_any_place() {
        assert_eq!(
            next("<https://a/x?page=2>; rel=\"next\", <https://a/x?page=9>; rel=\"last\"").unwrap(),
            "https://a/x?page=2"
        );
        assert_eq!(
            next("<https://a/1>; rel=\"prev\", <https://a/2?b=1,2>; rel=\"next\"").unwrap(),
            "https://a/2?b=1,2"
        );
        assert_eq!(next("<https://a/1>; rel=\"prev\", <https://a/9>; rel=\"last\""), None);
        assert_eq!(next("<https://a/1"), None);
        assert_eq!(next_page(&HeaderMap::new()), None);
    }

    #[test]
    fn numbers_are_read_and_the_rest_is_ignored() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "7".parse().unwrap());
        headers.insert("x-ratelimit-reset", "soon".parse().unwrap());
        assert_eq!(number::<u64>(&headers, "retry-after"), Some(7));
        assert_eq!(number::<i64>(&headers, "x-ratelimit-reset"), None);
        assert_eq!(date(&headers), None);
        headers.insert("date", "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        assert_eq!(date(&headers), Some(784_111_777));
    }
}
