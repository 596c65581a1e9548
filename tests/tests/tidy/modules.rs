//! The module tree of one crate, and which module mentions which.
//!
//! In: the crate's files. Out: modules in the order they are listed, and the paths inside the crate each one mentions.
//! Never here: judgement; that is `order`.
//! Invariant: code that only tests see is not part of the tree.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};

use crate::tree::Source;

/// A module's place in its crate: `["session", "memory"]`; the root is empty.
pub type Place = Vec<String>;

#[derive(Default)]
pub struct Module {
    pub file: String,
    /// Child modules, in the order in which they are listed.
    pub children: Vec<String>,
    /// Places mentioned; the last names may be items rather than modules.
    pub mentions: Vec<Place>,
}

pub type Crate = BTreeMap<Place, Module>;

/// Reads a crate from its root file (`…/lib.rs` or `…/main.rs`).
pub fn read(sources: &[Source], root: &str) -> Crate {
    let mut tree = Crate::new();
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let mut waiting = vec![(Place::new(), root.to_owned(), folder)];
    while let Some((place, file, folder)) = waiting.pop() {
        let Some(source) = sources.iter().find(|source| source.path == file) else { continue };
        let Ok(parsed) = syn::parse_file(&source.text) else { panic!("{file}: not readable as Rust") };
        let mut seen = Reader { place: place.clone(), tree: &mut tree, file: file.clone() };
        seen.open();
        seen.visit_file(&parsed);
        for child in tree[&place].children.clone() {
            let mut below = place.clone();
            below.push(child.clone());
            if !tree.contains_key(&below) {
                waiting.push((below, format!("{folder}/{child}.rs"), format!("{folder}/{child}")));
            }
        }
    }
    tree
}

struct Reader<'a> {
    place: Place,
    tree: &'a mut Crate,
    file: String,
}

impl Reader<'_> {
    fn open(&mut self) {
        let module = self.tree.entry(self.place.clone()).or_default();
        module.file.clone_from(&self.file);
    }

    fn mention(&mut self, names: &[String]) {
        let Some(first) = names.first() else { return };
        let mut place = self.place.clone();
        let rest = match first.as_str() {
            "crate" => {
                place.clear();
                &names[1..]
            }
            "self" => &names[1..],
            "super" => {
                let ups = names.iter().take_while(|name| *name == "super").count();
                place.truncate(place.len().saturating_sub(ups));
                &names[ups..]
            }
            child if self.tree[&self.place].children.iter().any(|known| known == child) => names,
            _ => return,
        };
        place.extend(rest.iter().cloned());
        if let Some(module) = self.tree.get_mut(&self.place) {
            module.mentions.push(place);
        }
    }

    fn follow(&mut self, so_far: &mut Vec<String>, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                so_far.push(path.ident.to_string());
                self.follow(so_far, &path.tree);
                so_far.pop();
            }
            syn::UseTree::Name(name) => self.leaf(so_far, &name.ident.to_string()),
            syn::UseTree::Rename(name) => self.leaf(so_far, &name.ident.to_string()),
            syn::UseTree::Glob(_) => self.mention(so_far),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.follow(so_far, item)),
        }
    }

    fn leaf(&mut self, so_far: &[String], name: &str) {
        let mut names = so_far.to_vec();
        if name != "self" {
            names.push(name.to_owned());
        }
        self.mention(&names);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_file(&mut self, file: &'ast syn::File) {
        list_children(self, &file.items);
        visit::visit_file(self, file);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if only_for_tests(&item.attrs) {
            return;
        }
        let Some((_, items)) = &item.content else { return };
        self.place.push(item.ident.to_string());
        self.open();
        list_children(self, items);
        items.iter().for_each(|item| self.visit_item(item));
        self.place.pop();
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !only_for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !only_for_tests(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !only_for_tests(&item.attrs) {
            self.follow(&mut vec![], &item.tree);
        }
    }

    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.mention(&names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let text = call.tokens.to_string().replace(" :: ", "::");
        for word in text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == ':')) {
            let names: Vec<String> = word.split("::").map(str::to_owned).collect();
            if names.len() > 1 && ["crate", "super", "self"].contains(&names[0].as_str()) {
                self.mention(&names);
            }
        }
        visit::visit_macro(self, call);
    }
}

fn list_children(reader: &mut Reader<'_>, items: &[syn::Item]) {
    let names = items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if !only_for_tests(&module.attrs) => Some(module.ident.to_string()),
        _ => None,
    });
    let names: Vec<String> = names.collect();
    if let Some(module) = reader.tree.get_mut(&reader.place) {
        module.children = names;
    }
}

fn only_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Meta>().is_ok_and(|inner| inner.path().is_ident("test")))
    })
}
