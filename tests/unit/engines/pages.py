"""Metrics pages as the engines write them, cut down to what matters and what may be mistaken for it."""

VLLM = b"""# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="llama-8b"} 3.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="llama-8b"} 5.0
# TYPE vllm:num_requests_waiting_by_reason gauge
vllm:num_requests_waiting_by_reason{engine="0",model_name="llama-8b",reason="capacity"} 5.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="llama-8b",reason="deferred"} 0.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="llama-8b"} 0.25
# TYPE vllm:num_preemptions_total counter
vllm:num_preemptions_total{engine="0",model_name="llama-8b"} 2.0
# TYPE vllm:num_preemptions_created gauge
vllm:num_preemptions_created{engine="0",model_name="llama-8b"} 1.7637e+09
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",model_name="llama-8b"} 1.2345678e+07
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{engine="0",model_name="llama-8b"} 4242.0
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.5",model_name="llama-8b"} 9.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="llama-8b"} 10.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="llama-8b"} 10.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="llama-8b"} 2.5
# TYPE vllm:inter_token_latency_seconds histogram
vllm:inter_token_latency_seconds_bucket{engine="0",le="0.025",model_name="llama-8b"} 300.0
vllm:inter_token_latency_seconds_bucket{engine="0",le="0.05",model_name="llama-8b"} 400.0
vllm:inter_token_latency_seconds_bucket{engine="0",le="+Inf",model_name="llama-8b"} 400.0
vllm:inter_token_latency_seconds_count{engine="0",model_name="llama-8b"} 400.0
vllm:inter_token_latency_seconds_sum{engine="0",model_name="llama-8b"} 8.0
# TYPE vllm:request_time_per_output_token_seconds histogram
vllm:request_time_per_output_token_seconds_sum{engine="0",model_name="llama-8b"} 99.0
vllm:request_time_per_output_token_seconds_count{engine="0",model_name="llama-8b"} 99.0
"""
VLLM_OF_2024 = b"""vllm:num_requests_running{model_name="llama-8b"} 3.0
vllm:gpu_cache_usage_perc{model_name="llama-8b"} 0.5
vllm:time_per_output_token_seconds_count{model_name="llama-8b"} 40.0
vllm:time_per_output_token_seconds_sum{model_name="llama-8b"} 4.0
"""
SGLANG = b"""sglang:num_running_reqs{model_name="m",tp_rank="0"} 7.0
sglang:num_queue_reqs{model_name="m",tp_rank="0"} 1.0
sglang:num_grammar_queue_reqs{model_name="m",tp_rank="0"} 4.0
sglang:token_usage{model_name="m",tp_rank="0"} 0.75
sglang:num_retracted_requests_total{model_name="m",tp_rank="0"} 2.0
sglang:prompt_tokens_total{model_name="m"} 128.0
sglang:generation_tokens_total{model_name="m"} 64.0
sglang:time_to_first_token_seconds_sum{model_name="m"} 1.5
sglang:time_to_first_token_seconds_bucket{le="0.4",model_name="m"} 1.0
sglang:time_to_first_token_seconds_bucket{le="0.6",model_name="m"} 3.0
sglang:time_to_first_token_seconds_bucket{le="+Inf",model_name="m"} 3.0
sglang:time_to_first_token_seconds_count{model_name="m"} 3.0
sglang:inter_token_latency_seconds_sum{model_name="m"} 2.0
sglang:inter_token_latency_seconds_bucket{le="0.03",model_name="m"} 30.0
sglang:inter_token_latency_seconds_bucket{le="0.04",model_name="m"} 61.0
sglang:inter_token_latency_seconds_bucket{le="+Inf",model_name="m"} 61.0
sglang:inter_token_latency_seconds_count{model_name="m"} 61.0
"""
LLAMACPP = b"""# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 231
llamacpp:prompt_tokens_seconds 93.2
llamacpp:tokens_predicted_total 77
llamacpp:tokens_predicted_seconds_total 1.2
llamacpp:requests_processing 2
llamacpp:requests_deferred 4
"""
TGI = b"""# TYPE tgi_request_count counter
tgi_request_count 21
# TYPE tgi_queue_size gauge
tgi_queue_size 6
# TYPE tgi_batch_current_size gauge
tgi_batch_current_size 8
tgi_batch_current_max_tokens 2048
tgi_request_input_length_sum 4000
tgi_request_input_length_count 20
tgi_request_generated_tokens_sum 900
tgi_request_generated_tokens_count 20
tgi_request_mean_time_per_token_duration_sum 0.5
tgi_request_mean_time_per_token_duration_count 20
"""
TENSORRT_LLM = b"""trtllm_num_requests_running{engine_type="trtllm",model_name="m"} 4.0
trtllm_num_requests_waiting{engine_type="trtllm",model_name="m"} 2.0
trtllm_kv_cache_utilization{engine_type="trtllm",model_name="m"} 0.5
trtllm_prompt_tokens_total{engine_type="trtllm",model_name="m"} 30.0
trtllm_generation_tokens_total{engine_type="trtllm",model_name="m"} 20.0
trtllm_time_to_first_token_seconds_bucket{engine_type="trtllm",le="0.1",model_name="m"} 1.0
trtllm_time_to_first_token_seconds_bucket{engine_type="trtllm",le="0.25",model_name="m"} 2.0
trtllm_time_to_first_token_seconds_bucket{engine_type="trtllm",le="+Inf",model_name="m"} 2.0
trtllm_time_to_first_token_seconds_count{engine_type="trtllm",model_name="m"} 2.0
trtllm_time_to_first_token_seconds_sum{engine_type="trtllm",model_name="m"} 0.25
trtllm_time_per_output_token_seconds_count{engine_type="trtllm",model_name="m"} 2.0
trtllm_time_per_output_token_seconds_sum{engine_type="trtllm",model_name="m"} 0.125
"""
TENSORRT_LLM_1_2 = b"""# TYPE e2e_request_latency_seconds histogram
e2e_request_latency_seconds_sum{engine_type="undefined",model_name="undefined"} 3.5
time_to_first_token_seconds_sum{engine_type="undefined",model_name="undefined"} 0.5
time_to_first_token_seconds_count{engine_type="undefined",model_name="undefined"} 2.0
"""
TABBY = b"""tabbyapi:prompt_tokens_total 500
tabbyapi:cached_tokens_total 100
tabbyapi:tokens_predicted_total 200
tabbyapi:tokens_predicted_seconds_total 4.5
tabbyapi:requests_processing 1
tabbyapi:requests_deferred 3
tabbyapi:kv_cache_usage_ratio 0.5
tabbyapi:kv_cache_tokens 4096
tabbyapi:kv_cache_max_tokens 8192
"""
TRITON = b"""# TYPE nv_inference_pending_request_count gauge
nv_inference_pending_request_count{model="chat",version="1"} 0
nv_inference_request_success{model="chat",version="1"} 12
vllm:prompt_tokens_total{model="chat",version="1"} 10
vllm:generation_tokens_total{model="chat",version="1"} 16
"""
# By the engine that writes it.
PAGES = {
    "vllm": VLLM,
    "sglang": SGLANG,
    "llamacpp": LLAMACPP,
    "tgi": TGI,
    "tensorrt-llm": TENSORRT_LLM,
    "exllamav2": TABBY,
}
