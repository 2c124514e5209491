"""What spikes say, on a page: `sections` are made of trains, a `page` is made of sections."""
