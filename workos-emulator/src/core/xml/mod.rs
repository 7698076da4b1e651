//! XML that strangers wrote, as SAML has it: read without what makes XML dangerous.
//!
//! * here – reading. There are no document type declarations, and therefore no entities beside those that XML itself has.
//! * [`signature`] – XML signatures (<https://www.w3.org/TR/xmldsig-core1/>), of the few kinds that SAML allows.
//! * [`encryption`] – XML encryption (<https://www.w3.org/TR/xmlenc-core1/>), likewise.

pub(crate) mod encryption;
pub(crate) mod signature;

use uppsala::{NodeId, NodeKind, Parser};

/// The deepest nesting. A SAML response has ten levels.
const DEEPEST: u32 = 48;

/// Why a text is no XML that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct XmlError(String);

/// A text that was read as XML.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    tree: uppsala::Document<'a>,
    source: &'a str,
}

impl<'a> Document<'a> {
    pub(crate) fn parse(source: &'a str) -> Result<Self, XmlError> {
        let parser = Parser::new()
            .with_forbid_dtd(true)
            .with_forbid_entities(true)
            .with_max_depth(DEEPEST);
        match parser.parse(source) {
            Ok(tree) => Ok(Self { tree, source }),
            Err(error) => Err(XmlError(error.to_string())),
        }
    }

    pub(crate) fn root(&self) -> Result<Element<'_>, XmlError> {
        let root = self.tree.document_element();
        root.map(|id| self.at(id))
            .ok_or_else(|| XmlError("it has no element".to_owned()))
    }

    /// Every element, in the order of their start tags.
    pub(crate) fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        let all = self.tree.descendants(self.tree.root());
        all.into_iter()
            .filter(|id| self.tree.element(*id).is_some())
            .map(|id| self.at(id))
    }

    /// Whether there is a comment or a processing instruction. Comments are not signed, and what reads over them reads
    /// something else than what was written.
    pub(crate) fn has_remarks(&self) -> bool {
        let is_remark = |id: NodeId| {
            let kind = self.tree.node_kind(id);
            matches!(
                kind,
                Some(NodeKind::Comment(_) | NodeKind::ProcessingInstruction(_))
            )
        };
        self.tree.descendants(self.tree.root()).into_iter().any(is_remark)
    }

    fn at(&self, id: NodeId) -> Element<'_> {
        Element { tree: &self.tree, id }
    }
}

/// An element of a [`Document`].
#[derive(Clone, Copy)]
pub(crate) struct Element<'d> {
    tree: &'d uppsala::Document<'d>,
    id: NodeId,
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.id == other.id
    }
}

impl std::fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Element").field(&self.name()).finish()
    }
}

impl<'d> Element<'d> {
    /// Its name without the prefix.
    pub(crate) fn name(&self) -> &'d str {
        self.tree
            .element(self.id)
            .map_or("", |element| element.name.local_name.as_ref())
    }

    pub(crate) fn is(&self, namespace: &str, name: &str) -> bool {
        let element = self.tree.element(self.id);
        element.is_some_and(|element| element.name.matches(Some(namespace), name))
    }

    /// The attribute of this name, which is in no namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'d str> {
        let attributes = &self.tree.element(self.id)?.attributes;
        let found = attributes.iter().find(|found| found.name.matches(None, name))?;
        Some(found.value.as_ref())
    }

    /// The names of its attributes, declarations of namespaces aside; None stands for one that is in a namespace.
    fn attributes(&self) -> impl Iterator<Item = Option<&'d str>> {
        let attributes = self.tree.element(self.id).map(|element| &element.attributes);
        attributes.into_iter().flatten().map(|attribute| {
            let name = &attribute.name;
            name.namespace_uri.is_none().then_some(name.local_name.as_ref())
        })
    }

    pub(crate) fn parent(&self) -> Option<Self> {
        let id = self.tree.parent(self.id)?;
        let is_element = self.tree.element(id).is_some();
        is_element.then_some(Self { tree: self.tree, id })
    }

    /// The elements in it.
    pub(crate) fn elements(&self) -> impl Iterator<Item = Self> {
        let tree = self.tree;
        let children = tree.children(self.id).into_iter();
        children
            .filter(|id| tree.element(*id).is_some())
            .map(|id| Self { tree, id })
    }

    /// The elements in it that have this name.
    pub(crate) fn all(&self, namespace: &str, name: &str) -> impl Iterator<Item = Self> {
        self.elements().filter(move |element| element.is(namespace, name))
    }

    /// The first of [`all`](Self::all).
    pub(crate) fn first(&self, namespace: &str, name: &str) -> Option<Self> {
        self.all(namespace, name).next()
    }

    /// All of its text, without white space around it. None: there is none, or there are elements in it.
    pub(crate) fn text(&self) -> Option<String> {
        if self.elements().next().is_some() {
            return None;
        }
        let text = self.tree.text_content_deep(self.id);
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// A text without the characters that XML 1.0 cannot have, not even escaped (section 2.2).
pub(crate) fn legal(text: &str) -> String {
    let is_legal = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    text.chars().filter(is_legal).collect()
}

#[cfg(test)]
mod tests;
