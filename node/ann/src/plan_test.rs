//! Tests of the index plan.

use super::*;

fn factory(spec: &IndexSpec, rows: usize) -> String {
    match spec.plan(128, rows, 4096) {
        IndexPlan::Flat => "Flat".into(),
        IndexPlan::Faiss { factory, sample } => format!("{factory}/{sample}"),
    }
}

#[test]
fn lists_grow_with_the_segment() {
    assert_eq!(factory(&IndexSpec::default(), 4095), "Flat");
    assert_eq!(factory(&IndexSpec::default(), 8192), "IVF128,PQ64x4fsr/6400");
    assert_eq!(factory(&IndexSpec::default(), 65_536), "IVF256,PQ64x4fsr/12800");
    assert_eq!(factory(&IndexSpec::default(), 500_000), "IVF512,PQ64x4fsr/25600");
    assert_eq!(factory(&IndexSpec::default(), 1_000_000), "IVF1024,PQ64x4fsr/51200");
}

#[test]
fn a_configured_index_overrides_but_small_segments_get_fewer_lists() {
    let spec = IndexSpec::parse("IVF1024,PQ128x4fs", Metric::Cosine, 128).unwrap();
    assert_eq!(factory(&spec, 500_000), "IVF1024,PQ128x4fs/51200");
    assert_eq!(factory(&spec, 7800), "IVF200,PQ128x4fs/7800");
    let graph = IndexSpec::parse("HNSW32", Metric::L2, 100).unwrap();
    assert_eq!(factory(&graph, 8192), "HNSW32/0");
    assert_eq!(
        factory(&IndexSpec::parse("Flat", Metric::L2, 128).unwrap(), 1_000_000),
        "Flat"
    );
}

#[test]
fn an_index_that_faiss_cannot_build_is_refused_when_the_config_is_read() {
    for bad in [
        "",
        "flat",
        "IVFx,PQ",
        "IVF0,Flat",
        "IVF99999999,Flat",
        "PQ64",
        "LSH",
        "IVF16,PQ77x4fs",
        "IVF16_HNSW32,PQ64x4fsr",
        "IVF16,PQ64x4fsr_64",
        "IVF16,\0",
        "IDMap,Flat",
    ] {
        let error = IndexSpec::parse(bad, Metric::Cosine, 128).unwrap_err();
        assert!(matches!(error, AnnError::BadFactory { .. }), "{bad:?}: {error}");
    }
}
