//! The gates and what they need, without a cycle.

use std::fmt;

use crate::model::gate::GateName;

/// A gate as the schedule sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: GateName,
    /// The nodes that must be green first, by their place in the list.
    pub needs: Vec<usize>,
    /// Further attempts after one that did not pass.
    pub retries: u32,
}

/// Gates in configuration order, whose `needs` form no cycle.
#[derive(Debug, Clone)]
pub struct Graph {
    nodes: Vec<Node>,
}

/// Gates that wait for each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these gates need each other, so that none can start: {}; take one of these `needs` away", Loop(names))]
pub struct Cycle {
    /// Each needs the next, and the last the first.
    pub names: Vec<GateName>,
}

struct Loop<'a>(&'a [GateName]);

impl fmt::Display for Loop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in self.0 {
            write!(f, "{name} → ")?;
        }
        self.0.first().map_or(Ok(()), |first| write!(f, "{first}"))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Unseen,
    OnPath,
    Free,
}

impl Graph {
    /// Takes the gates in configuration order. A need that points at no gate is one that is not there to wait
    /// for: the configuration has reported it.
    ///
    /// # Errors
    /// When some of them need each other.
    pub fn new(nodes: Vec<Node>) -> Result<Self, Cycle> {
        let mut marks = vec![Mark::Unseen; nodes.len()];
        for start in 0..nodes.len() {
            if let Some(path) = walk(&nodes, start, &mut marks) {
                return Err(Cycle { names: path.into_iter().map(|at| nodes[at].name.clone()).collect() });
            }
        }
        Ok(Self { nodes })
    }

    /// The gates, in configuration order.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

/// Looks for a cycle below `start`, with a stack of its own: a long chain of needs must not exhaust the thread's.
fn walk(nodes: &[Node], start: usize, marks: &mut [Mark]) -> Option<Vec<usize>> {
    if marks[start] != Mark::Unseen {
        return None;
    }
    marks[start] = Mark::OnPath;
    let mut path = vec![(start, 0)];
    while let Some((at, next)) = path.last_mut() {
        let Some(&need) = nodes[*at].needs.get(*next) else {
            marks[*at] = Mark::Free;
            path.pop();
            continue;
        };
        *next += 1;
        match marks.get(need) {
            Some(Mark::Unseen) => {
                marks[need] = Mark::OnPath;
                path.push((need, 0));
            }
            Some(Mark::OnPath) => return Some(path.iter().map(|(at, _)| *at).skip_while(|at| *at != need).collect()),
            Some(Mark::Free) | None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(needs: &[(&str, &[usize])]) -> Result<Graph, Cycle> {
        Graph::new(
            needs
                .iter()
                .map(|(name, needs)| Node { name: GateName::parse(name).unwrap(), needs: needs.to_vec(), retries: 0 })
                .collect(),
        )
    }

    #[test]
    fn a_cycle_is_named_as_it_runs() {
        let cycle = graph(&[("a", &[1]), ("b", &[2]), ("c", &[3]), ("d", &[1]), ("e", &[])]).unwrap_err();
        assert!(cycle.to_string().contains("b → c → d → b;"), "{cycle}");
        assert_eq!(graph(&[("a", &[0])]).unwrap_err().names.len(), 1);
    }

    #[test]
    fn a_diamond_is_no_cycle() {
        assert!(graph(&[("a", &[1, 2]), ("b", &[3]), ("c", &[3]), ("d", &[])]).is_ok());
    }

    #[test]
    fn a_long_chain_is_walked() {
        let nodes = (0..100_000_usize)
            .map(|at| Node { name: GateName::parse("x").unwrap(), needs: vec![at + 1], retries: 0 })
            .collect();
        assert!(Graph::new(nodes).is_ok());
    }
}
