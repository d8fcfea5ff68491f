// The part of faiss that Covey uses, as plain C. Every exception ends here as a code and a message.
// A search takes its parameters on the stack and the index as const, so that any number of threads may search at once.

#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexIVFPQFastScan.h>
#include <faiss/impl/FaissException.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/impl/io.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#include <faiss/invlists/BlockInvertedLists.h>
#include <faiss/utils/utils.h>

// Present when the BLAS is OpenBLAS; its pool would otherwise take every core during training.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace {

enum Code : int { kOk = 0, kFaiss = 1, kMemory = 2, kOther = 3 };
enum Kind : int { kUnknown = 0, kFlat = 1, kIvf = 2, kHnsw = 3 };

struct Message {
    char* text;
    size_t capacity;
    void set(const char* what) const {
        if (capacity == 0) return;
        size_t length = std::min(std::strlen(what), capacity - 1);
        std::memcpy(text, what, length);
        text[length] = 0;
    }
};

template <class Body>
int guarded(char* text, size_t capacity, Body&& body) noexcept {
    Message message{text, capacity};
    try {
        body();
        return kOk;
    } catch (const faiss::FaissException& e) {
        message.set(e.what());
        return kFaiss;
    } catch (const std::bad_alloc&) {
        message.set("out of memory");
        return kMemory;
    } catch (const std::exception& e) {
        message.set(e.what());
        return kOther;
    } catch (...) {
        message.set("unknown exception");
        return kOther;
    }
}

// OpenMP's setting belongs to the calling thread, so it is set at every entry that could start a team.
void use_threads(int threads) {
    omp_set_num_threads(threads);
    if (openblas_set_num_threads) openblas_set_num_threads(threads);
}

Kind kind_of(const faiss::Index* index) {
    if (dynamic_cast<const faiss::IndexIVF*>(index)) return kIvf;
    if (dynamic_cast<const faiss::IndexHNSW*>(index)) return kHnsw;
    if (dynamic_cast<const faiss::IndexFlat*>(index)) return kFlat;
    return kUnknown;
}

void refuse_unknown(const faiss::Index* index) {
    if (kind_of(index) == kUnknown) throw std::runtime_error("only Flat, HNSW and IVF indexes are supported");
}

struct SliceReader : faiss::IOReader {
    const uint8_t* data;
    size_t left;
    SliceReader(const uint8_t* data, size_t left) : data(data), left(left) {}
    size_t operator()(void* to, size_t size, size_t items) override {
        if (size == 0) return 0;
        items = std::min(items, left / size);
        std::memcpy(to, data, items * size);
        data += items * size;
        left -= items * size;
        return items;
    }
};

using Sink = void (*)(void* context, const uint8_t* bytes, size_t length);

struct SinkWriter : faiss::IOWriter {
    Sink sink;
    void* context;
    SinkWriter(Sink sink, void* context) : sink(sink), context(context) {}
    size_t operator()(const void* from, size_t size, size_t items) override {
        sink(context, static_cast<const uint8_t*>(from), size * items);
        return items;
    }
};

#if defined(__x86_64__)
// The initialisers of faiss are compiled for AVX and run before main, where check_cpu could speak. This runs before them.
__attribute__((constructor(101), target("no-avx"))) void refuse_a_cpu_without_avx() {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx")) return;
    static const char text[] = "error: this CPU lacks AVX; Covey needs an x86-64 CPU with AVX2, FMA, F16C and POPCNT\n";
    if (write(2, text, sizeof(text) - 1) < 0) _exit(71);
    _exit(70);
}
#endif

}  // namespace

extern "C" {

struct CoveyIndexInfo {
    int64_t dim;
    int64_t rows;
    int64_t nlist;
    int32_t inner_product;
    int32_t kind;
};

int covey_faiss_create(int dim, const char* factory, int inner_product, void** out, char* text, size_t capacity) {
    return guarded(text, capacity, [&] {
        auto metric = inner_product ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2;
        std::unique_ptr<faiss::Index> index(faiss::index_factory(dim, factory, metric));
        refuse_unknown(index.get());
        // The caller bounds its training sample; faiss would warn on stderr below 39 rows per list.
        if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(index.get())) ivf->cp.min_points_per_centroid = 1;
        // Sixteen centroids of one or a few dimensions settle on a thousand points in a few rounds; with faiss' 4096
        // points and 25 rounds this would be most of the time of a seal.
        if (auto* pq = dynamic_cast<faiss::IndexIVFPQFastScan*>(index.get())) {
            pq->pq.cp.niter = 10;
            pq->pq.cp.max_points_per_centroid = 64;
            // With Euclidean distance every list would need tables of its own, which cost more than they save.
            if (metric == faiss::METRIC_L2) pq->by_residual = false;
            // Others go to faiss' own search, which sizes their biases by the index' nprobe and reads the search's.
            if (pq->by_residual && (pq->bbs != 32 || !dynamic_cast<faiss::IndexFlat*>(pq->quantizer)))
                throw std::runtime_error("residual codes need blocks of 32 and a flat quantiser");
        }
        *out = index.release();
    });
}

void covey_faiss_destroy(void* index) { delete static_cast<faiss::Index*>(index); }

void covey_faiss_info(const void* handle, CoveyIndexInfo* info) {
    auto* index = static_cast<const faiss::Index*>(handle);
    auto* ivf = dynamic_cast<const faiss::IndexIVF*>(index);
    info->dim = index->d;
    info->rows = index->ntotal;
    info->nlist = ivf ? static_cast<int64_t>(ivf->nlist) : 0;
    info->inner_product = index->metric_type == faiss::METRIC_INNER_PRODUCT;
    info->kind = kind_of(index);
}

int covey_faiss_train(void* index, int64_t rows, const float* x, int threads, char* text, size_t capacity) {
    return guarded(text, capacity, [&] {
        use_threads(threads);
        static_cast<faiss::Index*>(index)->train(rows, x);
    });
}

int covey_faiss_add(void* index, int64_t rows, const float* x, int threads, char* text, size_t capacity) {
    return guarded(text, capacity, [&] {
        use_threads(threads);
        static_cast<faiss::Index*>(index)->add(rows, x);
    });
}

struct CoveySearch {
    const float* query;
    int64_t k;
    size_t nprobe;
    int32_t ef;
    const uint8_t* keep;  // null: every row
    size_t keep_bytes;
};

int covey_faiss_search(
        const void* handle, const CoveySearch* search, float* distances, int64_t* labels, char* text, size_t capacity) {
    return guarded(text, capacity, [&] {
        omp_set_num_threads(1);
        auto* index = static_cast<const faiss::Index*>(handle);
        faiss::IDSelectorBitmap keep(search->keep_bytes, search->keep);
        auto run = [&](faiss::SearchParameters& parameters) {
            parameters.sel = search->keep ? &keep : nullptr;
            index->search(1, search->query, search->k, distances, labels, &parameters);
        };
        if (auto* ivf = dynamic_cast<const faiss::IndexIVF*>(index)) {
            faiss::SearchParametersIVF parameters;
            parameters.nprobe = std::clamp<size_t>(search->nprobe, 1, ivf->nlist);
            run(parameters);
        } else if (dynamic_cast<const faiss::IndexHNSW*>(index)) {
            faiss::SearchParametersHNSW parameters;
            parameters.efSearch = std::max<int32_t>(search->ef, 1);
            run(parameters);
        } else {
            faiss::SearchParameters parameters;
            run(parameters);
        }
    });
}

struct CoveyFastScan {
    const float* coarse;    // nlist centres of dim floats
    const float* codebook;  // for each of the parts its 16 centroids of dim / parts floats
    size_t parts;
    size_t padded_parts;
    int32_t by_residual;
};

// 1 if the index is one whose lists covey scans itself: 4-bit codes in blocks of 32 behind a flat coarse quantiser.
int covey_faiss_fast_scan(const void* handle, CoveyFastScan* out) {
    auto* index = dynamic_cast<const faiss::IndexIVFPQFastScan*>(static_cast<const faiss::Index*>(handle));
    if (!index || index->bbs != 32 || index->pq.nbits != 4 || index->ntotal == 0 || index->nlist == 0) return 0;
    if (index->by_residual && index->metric_type == faiss::METRIC_L2) return 0;
    auto* coarse = dynamic_cast<const faiss::IndexFlat*>(index->quantizer);
    if (!coarse || coarse->ntotal != static_cast<faiss::idx_t>(index->nlist)) return 0;
    if (coarse->metric_type != index->metric_type) return 0;
    // What was read from a file is believed only as far as these sizes say.
    auto* lists = dynamic_cast<const faiss::BlockInvertedLists*>(index->invlists);
    size_t d = index->d, parts = index->pq.M;
    if (!lists || lists->nlist != index->nlist || lists->n_per_block != 32 || lists->block_size != index->M2 * 16) return 0;
    if (lists->codes.size() != index->nlist || lists->ids.size() != index->nlist) return 0;
    if (parts == 0 || d % parts != 0 || index->M2 != (parts + 1) / 2 * 2 || index->pq.centroids.size() != 16 * d) return 0;
    if (coarse->codes.size() != index->nlist * d * sizeof(float)) return 0;
    out->coarse = coarse->get_xb();
    out->codebook = index->pq.centroids.data();
    out->parts = index->pq.M;
    out->padded_parts = index->M2;
    out->by_residual = index->by_residual;
    return 1;
}

struct CoveyList {
    const uint8_t* codes;
    const int64_t* ids;
    size_t rows;
};

void covey_faiss_list(const void* handle, size_t number, CoveyList* out) {
    auto* index = static_cast<const faiss::IndexIVFPQFastScan*>(static_cast<const faiss::Index*>(handle));
    auto* lists = static_cast<const faiss::BlockInvertedLists*>(index->invlists);
    out->codes = lists->codes[number].get();
    out->ids = lists->ids[number].data();
    size_t rows = lists->ids[number].size();
    out->rows = std::min(rows, lists->codes[number].size() / lists->block_size * lists->n_per_block);
}

int covey_faiss_write(const void* index, Sink sink, void* context, char* text, size_t capacity) {
    return guarded(text, capacity, [&] {
        SinkWriter writer(sink, context);
        faiss::write_index(static_cast<const faiss::Index*>(index), &writer);
    });
}

int covey_faiss_read(const uint8_t* data, size_t length, void** out, char* text, size_t capacity) {
    return guarded(text, capacity, [&] {
        SliceReader reader(data, length);
        std::unique_ptr<faiss::Index> index(faiss::read_index(&reader));
        refuse_unknown(index.get());
        if (auto* ivf = dynamic_cast<const faiss::IndexIVF*>(index.get())) {
            auto lists = static_cast<faiss::idx_t>(ivf->nlist);
            if (lists == 0 || !ivf->invlists || !ivf->quantizer || (ivf->ntotal > 0 && ivf->quantizer->ntotal != lists))
                throw std::runtime_error("its lists do not fit together");
        }
        CoveyFastScan ignored;
        auto* pq = dynamic_cast<const faiss::IndexIVFPQFastScan*>(index.get());
        if (pq && pq->by_residual && pq->ntotal > 0 && !covey_faiss_fast_scan(pq, &ignored))
            throw std::runtime_error("its residual codes cannot be searched safely");
        *out = index.release();
    });
}

int covey_faiss_compile_options(char* text, size_t capacity) {
    std::string options;
    int code = guarded(text, capacity, [&] { options = faiss::get_compile_options(); });
    if (code == kOk) Message{text, capacity}.set(options.c_str());
    return code;
}

}  // extern "C"
