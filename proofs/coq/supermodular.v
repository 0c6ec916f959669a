(* Theory of bounds, section 2, L4: blocks of qubits replaced by the maximally mixed
   state, each independently with probability 1 - lambda, contract relative entropy to
   the maximally mixed state by lambda. This file has the combinatorial step, for any
   number r of blocks: a supermodular f with f(empty) = 0 satisfies
   E f(A) <= lambda f(all) when A keeps every block independently with probability
   lambda. Strong subadditivity enters as the hypothesis `submodular`.

   A set of kept blocks is a list of r booleans, one per block. *)

Require Import Reals Lra Psatz List Bool.
Import ListNotations.
Open Scope R_scope.

Definition Blocks : Type := list bool.

Definition none (r : nat) : Blocks := repeat false r.
Definition all (r : nat) : Blocks := repeat true r.

Fixpoint pointwise (op : bool -> bool -> bool) (A B : Blocks) : Blocks :=
  match A, B with
  | a :: A', b :: B' => op a b :: pointwise op A' B'
  | _, _ => []
  end.
Definition union : Blocks -> Blocks -> Blocks := pointwise orb.
Definition inter : Blocks -> Blocks -> Blocks := pointwise andb.

Definition supermodular (r : nat) (f : Blocks -> R) : Prop :=
  forall A B, length A = r -> length B = r ->
  f A + f B <= f (union A B) + f (inter A B).
Definition submodular (r : nat) (S : Blocks -> R) : Prop :=
  forall A B, length A = r -> length B = r ->
  S (union A B) + S (inter A B) <= S A + S B.

(* The mean of f over independent inclusion: first as a sum over all 2^r sets with
   their probabilities. *)
Fixpoint subsets (r : nat) : list Blocks :=
  match r with
  | O => [[]]
  | S k => map (cons true) (subsets k) ++ map (cons false) (subsets k)
  end.
Definition probability (lambda : R) (A : Blocks) : R :=
  fold_right (fun (kept : bool) w => (if kept then lambda else 1 - lambda) * w) 1 A.
Definition sum (g : Blocks -> R) (sets : list Blocks) : R :=
  fold_right (fun A s => g A + s) 0 sets.
Definition mean (lambda : R) (r : nat) (f : Blocks -> R) : R :=
  sum (fun A => probability lambda A * f A) (subsets r).

Lemma sum_app : forall g l l', sum g (l ++ l') = sum g l + sum g l'.
Proof. intros g l l'. induction l; simpl; [ring | rewrite IHl; ring]. Qed.

Lemma sum_map : forall g h l, sum g (map h l) = sum (fun A => g (h A)) l.
Proof. intros g h l. induction l; simpl; [reflexivity | rewrite IHl; reflexivity]. Qed.

Lemma sum_scaled : forall c g l, sum (fun A => c * g A) l = c * sum g l.
Proof. intros c g l. induction l; simpl; [ring | rewrite IHl; ring]. Qed.

Lemma sum_equal : forall g h l, (forall A, g A = h A) -> sum g l = sum h l.
Proof. intros g h l H. induction l; simpl; [reflexivity | rewrite H, IHl; ring]. Qed.

Lemma sum_added : forall g h l, sum (fun A => g A + h A) l = sum g l + sum h l.
Proof. intros g h l. induction l; simpl; [ring | rewrite IHl; ring]. Qed.

(* The first block is kept or not, then the others. *)
Lemma mean_step : forall lambda k f,
  mean lambda (S k) f = lambda * mean lambda k (fun A => f (true :: A))
                        + (1 - lambda) * mean lambda k (fun A => f (false :: A)).
Proof.
  intros lambda k f. unfold mean. simpl. rewrite sum_app, !sum_map, <- !sum_scaled.
  f_equal; apply sum_equal; intros A; simpl; ring.
Qed.

Theorem probabilities_sum_to_one : forall lambda r, mean lambda r (fun _ => 1) = 1.
Proof.
  intros lambda r. induction r as [| k IH]; [unfold mean; simpl; ring |].
  rewrite mean_step, IH. ring.
Qed.

Lemma mean_shifted : forall lambda k f c,
  mean lambda k (fun A => f A - c) = mean lambda k f - c.
Proof.
  intros lambda k f c. pose proof (probabilities_sum_to_one lambda k) as H.
  unfold mean in *.
  rewrite (sum_equal _ (fun A => probability lambda A * f A
                                 + - c * (probability lambda A * 1))) by (intros; ring).
  rewrite sum_added, sum_scaled, H. ring.
Qed.

Lemma length_none : forall r, length (none r) = r.
Proof. intros. apply repeat_length. Qed.

Lemma length_all : forall r, length (all r) = r.
Proof. intros. apply repeat_length. Qed.

Lemma union_none : forall r A, length A = r -> union (none r) A = A.
Proof.
  induction r as [| k IH]; intros [| a A] H; try discriminate; [reflexivity |].
  change (union (none (S k)) (a :: A)) with (a :: union (none k) A).
  rewrite IH by (simpl in H; lia).
  reflexivity.
Qed.

Lemma inter_none : forall r A, length A = r -> inter (none r) A = none r.
Proof.
  induction r as [| k IH]; intros [| a A] H; try discriminate; [reflexivity |].
  change (inter (none (S k)) (a :: A)) with (false :: inter (none k) A).
  rewrite IH by (simpl in H; lia).
  reflexivity.
Qed.

Theorem supermodular_contraction : forall (lambda : R) (r : nat) (f : Blocks -> R),
  0 <= lambda <= 1 -> supermodular r f -> f (none r) = 0 ->
  mean lambda r f <= lambda * f (all r).
Proof.
  intros lambda r. induction r as [| k IH]; intros f Hl Hf H0.
  { unfold mean, all. unfold none in H0. simpl in *. rewrite H0. lra. }
  set (x := f (true :: none k)).
  assert (Hdrop : mean lambda k (fun A => f (false :: A))
                  <= lambda * f (false :: all k)).
  { apply (IH (fun A => f (false :: A)) Hl); [| exact H0].
    intros A B HA HB. apply (Hf (false :: A) (false :: B)); simpl; lia. }
  assert (Hkeep : mean lambda k (fun A => f (true :: A) - x)
                  <= lambda * (f (true :: all k) - x)).
  { apply (IH (fun A => f (true :: A) - x) Hl); [| unfold x; ring].
    intros A B HA HB.
    pose proof (Hf (true :: A) (true :: B)) as H. simpl in H.
    assert (f (true :: A) + f (true :: B)
            <= f (true :: union A B) + f (true :: inter A B)) by (apply H; lia).
    lra. }
  rewrite mean_shifted in Hkeep. rewrite mean_step.
  assert (Hcross : x + f (false :: all k) <= f (true :: all k)).
  { pose proof (Hf (true :: none k) (false :: all k)) as H.
    change (union (true :: none k) (false :: all k))
      with (true :: union (none k) (all k)) in H.
    change (inter (true :: none k) (false :: all k))
      with (false :: inter (none k) (all k)) in H.
    rewrite union_none, inter_none in H by apply length_all.
    change (false :: none k) with (none (S k)) in H. rewrite H0 in H. simpl in H.
    rewrite length_none, length_all in H. specialize (H eq_refl eq_refl).
    unfold x. lra. }
  change (all (S k)) with (true :: all k).
  set (y := f (false :: all k)) in *. set (F := f (true :: all k)) in *.
  apply Rle_trans with (lambda * (x + lambda * (F - x)) + (1 - lambda) * (lambda * y)).
  { apply Rplus_le_compat; apply Rmult_le_compat_l; lra. }
  assert (0 <= lambda * (1 - lambda) * (F - x - y)).
  { apply Rmult_le_pos; [apply Rmult_le_pos |]; lra. }
  lra.
Qed.

(* The form in which L4 uses it: f(A) = (qubits in A) - S(A). *)
Fixpoint size (sizes : list R) (A : Blocks) : R :=
  match sizes, A with
  | s :: sizes', a :: A' => (if a then s else 0) + size sizes' A'
  | _, _ => 0
  end.

Lemma size_modular : forall sizes r A B, length A = r -> length B = r ->
  size sizes (union A B) + size sizes (inter A B) = size sizes A + size sizes B.
Proof.
  induction sizes as [| s sizes IH]; intros r A B HA HB; [destruct A, B; simpl; ring |].
  destruct A as [| a A], B as [| b B]; simpl in *; try (exfalso; lia); [ring |].
  specialize (IH (length A) A B eq_refl). unfold union, inter in IH.
  assert (length B = length A) as HL by lia. specialize (IH HL).
  destruct a, b; simpl; lra.
Qed.

Lemma size_none : forall sizes r, size sizes (none r) = 0.
Proof.
  induction sizes as [| s sizes IH]; intros [| r]; simpl; try reflexivity.
  unfold none in IH. rewrite IH. ring.
Qed.

Theorem information_contraction :
  forall (lambda : R) (sizes : list R) (entropy : Blocks -> R),
  let r := length sizes in
  0 <= lambda <= 1 -> submodular r entropy -> entropy (none r) = 0 ->
  mean lambda r (fun A => size sizes A - entropy A)
    <= lambda * (size sizes (all r) - entropy (all r)).
Proof.
  intros lambda sizes entropy r Hl HS H0.
  apply (supermodular_contraction lambda r (fun A => size sizes A - entropy A) Hl).
  - intros A B HA HB. pose proof (HS A B HA HB).
    pose proof (size_modular sizes r A B HA HB). lra.
  - rewrite size_none, H0. ring.
Qed.
