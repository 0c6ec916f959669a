(* Corollary A2: -ln(1-y) <= 2 ln2 y on the closed interval [0, 1/2], with equality at
   both ends, and the two denominators 1 - c T e that follow from it. *)

Require Import Reals Lra Psatz.
From QjaxProofs Require Import scalar_base bernoulli.
Open Scope R_scope.

(* The logarithm is concave: Jensen at 1 - y = (1-2y)*1 + 2y*(1/2), by tangents. *)
Theorem exponential_chord : forall y, 0 <= y <= 1 / 2 -> - ln (1 - y) <= 2 * ln 2 * y.
Proof.
  intros y [H0 H1]. assert (Hz : 0 < 1 - y) by lra.
  pose proof (ln_tangent 1 (1 - y) Rlt_0_1 Hz) as Hone. rewrite ln_1 in Hone.
  assert (Hhalf : ln (1 / 2) <= ln (1 - y) + (1 / 2 - (1 - y)) / (1 - y)).
  { apply ln_tangent; lra. }
  rewrite ln_half in Hhalf.
  assert (Hsum : (1 - 2 * y) * ((1 - (1 - y)) / (1 - y))
                 + 2 * y * ((1 / 2 - (1 - y)) / (1 - y)) = 0) by (field; lra).
  nra.
Qed.

Theorem exponential_chord_ends :
  - ln (1 - 0) = 2 * ln 2 * 0 /\ - ln (1 - 1 / 2) = 2 * ln 2 * (1 / 2).
Proof.
  split; [rewrite Rminus_0_r, ln_1; ring |].
  replace (1 - 1 / 2) with (1 / 2) by field. rewrite ln_half. field.
Qed.

Lemma exponential_below_chord : forall y,
  0 <= y <= 1 / 2 -> exp (- (2 * ln 2 * y)) <= 1 - y.
Proof.
  intros y H. pose proof (exponential_chord y H) as Hc.
  rewrite <- (exp_ln (1 - y)) by lra.
  destruct (Req_dec (- (2 * ln 2 * y)) (ln (1 - y))) as [-> | Hn]; [lra |].
  left. apply exp_increasing. lra.
Qed.

(* One-qubit depolarizing noise: c = 1/ln2 against the contraction (1-e)^(2T). *)
Theorem denominator_one_qubit : forall (e : R) (T : nat),
  0 <= e <= 1 -> INR T * e / ln 2 <= 1 / 2 ->
  (1 - e) ^ (2 * T) <= 1 - INR T * e / ln 2.
Proof.
  intros e T He Hy. pose proof ln_2_positive. pose proof (pos_INR T).
  assert (Hlow : 0 <= INR T * e / ln 2).
  { apply Rmult_le_pos; [apply Rmult_le_pos; lra |].
    left. apply Rinv_0_lt_compat. assumption. }
  apply Rle_trans with (2 := exponential_below_chord _ (conj Hlow Hy)).
  apply Rle_trans with (1 := survival_below_exponential e (2 * T) He).
  right. f_equal. rewrite mult_INR. simpl (INR 2). field. lra.
Qed.

(* Noise on blocks of qubits: c = 1/(2 ln2) against the contraction (1-e)^T. *)
Theorem denominator_block : forall (e : R) (T : nat),
  0 <= e <= 1 -> INR T * e / (2 * ln 2) <= 1 / 2 ->
  (1 - e) ^ T <= 1 - INR T * e / (2 * ln 2).
Proof.
  intros e T He Hy. pose proof ln_2_positive. pose proof (pos_INR T).
  assert (Hlow : 0 <= INR T * e / (2 * ln 2)).
  { apply Rmult_le_pos; [apply Rmult_le_pos; lra |].
    left. apply Rinv_0_lt_compat. lra. }
  apply Rle_trans with (2 := exponential_below_chord _ (conj Hlow Hy)).
  apply Rle_trans with (1 := survival_below_exponential e T He).
  right. f_equal. field. lra.
Qed.
