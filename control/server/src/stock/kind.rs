//! The standard resource types that are served, and the order in which a client must learn of them.

/// A standard type. The order is that of sending: what is named comes before what names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Cluster,
    Endpoints,
    Secret,
    Listener,
    Route,
}

/// How the type URLs begin of everything that is served here.
pub const STANDARD: &str = "type.googleapis.com/envoy.";

impl Kind {
    pub const ALL: [Self; 5] = [Self::Cluster, Self::Endpoints, Self::Secret, Self::Listener, Self::Route];

    pub const fn url(self) -> &'static str {
        match self {
            Self::Cluster => "type.googleapis.com/envoy.config.cluster.v3.Cluster",
            Self::Endpoints => "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
            Self::Secret => "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
            Self::Listener => "type.googleapis.com/envoy.config.listener.v3.Listener",
            Self::Route => "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        }
    }

    pub fn parse(url: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.url() == url)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "Cluster",
            Self::Endpoints => "ClusterLoadAssignment",
            Self::Secret => "Secret",
            Self::Listener => "Listener",
            Self::Route => "RouteConfiguration",
        }
    }

    /// Whether clients ask for all of them, and take what an answer leaves out as gone. The others live as long as what names them.
    pub const fn is_root(self) -> bool {
        matches!(self, Self::Cluster | Self::Listener)
    }
}
