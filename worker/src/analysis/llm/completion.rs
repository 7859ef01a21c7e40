//! The frame of an answer: OpenAI's chat completion, and the JSON object inside its text.

use serde::Deserialize;

use super::unusable::Unusable;

#[derive(Debug, Deserialize)]
struct Frame {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

/// Tokens as the service counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Usage {
    #[serde(default)]
    pub prompt_tokens: Option<i32>,
    #[serde(default)]
    pub completion_tokens: Option<i32>,
    #[serde(default)]
    pub total_tokens: Option<i32>,
}

/// What an answer cost, and the text of the JSON object in it or why there is none.
pub(super) fn read(answer: &[u8]) -> (Usage, Result<String, Unusable>) {
    let Ok(frame) = serde_json::from_slice::<Frame>(answer) else {
        return (Usage::default(), Err(Unusable::NotACompletion));
    };
    // The record holds no negative counts.
    let count = |tokens: Option<i32>| tokens.filter(|tokens| *tokens >= 0);
    let usage = frame.usage.unwrap_or_default();
    let usage = Usage {
        prompt_tokens: count(usage.prompt_tokens),
        completion_tokens: count(usage.completion_tokens),
        total_tokens: count(usage.total_tokens),
    };
    (usage, frame.choices.into_iter().next().ok_or(Unusable::NotACompletion).and_then(text_of))
}

fn text_of(choice: Choice) -> Result<String, Unusable> {
    if choice.message.refusal.is_some_and(|refusal| !refusal.is_empty())
        || choice.finish_reason.as_deref() == Some("content_filter")
    {
        return Err(Unusable::Refused);
    }
    if choice.finish_reason.as_deref() == Some("length") {
        return Err(Unusable::CutOff);
    }
    let text = choice.message.content.unwrap_or_default();
    object_in(&text).map(str::to_owned).ok_or(Unusable::NotJson)
}

/// The JSON object in a text that may have a model's thoughts before it and a fence around it.
fn object_in(text: &str) -> Option<&str> {
    let text = text.rsplit("</think>").next().unwrap_or(text);
    let (from, to) = (text.find('{')?, text.rfind('}')?);
    text.get(from..=to)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_content(content: &str, finish_reason: &str) -> Result<String, Unusable> {
        let message = json!({"role": "assistant", "content": content});
        let frame = json!({"choices": [{"message": message, "finish_reason": finish_reason}]});
        read(frame.to_string().as_bytes()).1
    }

    #[test]
    fn the_object_is_found_in_thoughts_and_fences() {
        for content in ["{\"a\":1}", "```json\n{\"a\":1}\n```", "<think>{maybe}</think>\nHere: {\"a\":1}"] {
            assert_eq!(read_content(content, "stop"), Ok("{\"a\":1}".to_owned()), "{content}");
        }
        assert_eq!(read_content("no object", "stop"), Err(Unusable::NotJson));
    }

    #[test]
    fn cut_off_and_refused_answers_are_told_apart() {
        assert_eq!(read_content("{\"a\":1}", "length"), Err(Unusable::CutOff));
        assert_eq!(read_content("", "content_filter"), Err(Unusable::Refused));
        let refusal = json!({"choices": [{"message": {"content": null, "refusal": "no"}, "finish_reason": "stop"}]});
        assert_eq!(read(refusal.to_string().as_bytes()).1, Err(Unusable::Refused));
    }

    #[test]
    fn tokens_are_read_where_they_are_and_never_negative() {
        let frame = json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": -1}});
        let (usage, text) = read(frame.to_string().as_bytes());
        assert_eq!(usage, Usage { prompt_tokens: Some(7), ..Usage::default() });
        assert_eq!(text, Err(Unusable::NotACompletion));
    }
}
