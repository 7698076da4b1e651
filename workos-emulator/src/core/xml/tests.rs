use super::*;

#[test]
fn reads_what_is_harmless() {
    let text = "<?xml version=\"1.0\"?><a xmlns=\"urn:a\" b='1' x:b='2' xmlns:x='urn:x'> t&amp;<![CDATA[<u>]]>&#65; </a>";
    let document = Document::parse(text).unwrap();
    let root = document.root().unwrap();
    assert!(root.is("urn:a", "a") && !root.is("urn:b", "a"));
    assert_eq!(root.attribute("b"), Some("1"));
    assert_eq!(root.text().as_deref(), Some("t&<u>A"));
    assert!(!document.has_remarks());
}

#[test]
fn refuses_what_is_dangerous() {
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><l>&b;</l>";
    let external = "<!DOCTYPE l [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><l>&a;</l>";
    for text in [
        laughs,
        external,
        "<!DOCTYPE l SYSTEM \"http://evil.example/l.dtd\"><l/>",
        "<l>&a;</l>",
        "<l a='1' a='2'/>",
        "<l xmlns:x='urn:x' xmlns:y='urn:x' x:a='1' y:a='2'/>",
        "<l><m></l></m>",
        "<l/><l/>",
        "<x:l/>",
        "l",
        "",
        "<l>\u{1}</l>",
        deep.as_str(),
    ] {
        let end = text.len().min(60);
        assert!(Document::parse(text).is_err(), "{}", &text[..end]);
    }
}

#[test]
fn sees_comments_and_instructions() {
    for text in ["<a>b<!-- c -->d</a>", "<a><?p i?></a>"] {
        assert!(Document::parse(text).unwrap().has_remarks(), "{text}");
    }
    let document = Document::parse("<a>b<!-- c -->d</a>").unwrap();
    assert_eq!(document.root().unwrap().text().as_deref(), Some("bd"));
}

#[test]
fn leaves_out_what_xml_cannot_say() {
    assert_eq!(legal("a\u{0}b\u{1b}c\n\u{fffe}é𝄞"), "abc\né𝄞");
}
